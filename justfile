# What a change has to pass.
ci:
    bash .ci/run

# Formats and lints.
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings

# All tests; `just test days_since` only the files of SQL with that word.
test word="":
    SLT={{word}} cargo test --workspace

# Takes over changed texts of errors after they were read.
accept:
    INSTA_UPDATE=always cargo test --test it errors

# Licences and sources of dependencies (needs cargo-deny).
deny:
    cargo deny check licenses sources bans
