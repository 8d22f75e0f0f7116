//! Errors of object stores that are reached over the network, in words: what could not
//! be done where, and what to do. Addresses are shown without what follows a `?`.

use std::error::Error as StdError;

use datafusion::object_store::Error as StoreError;
use datafusion::object_store::client::{HttpError, HttpErrorKind};

use super::Error;

const CREDENTIALS: &str = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if they are temporary, \
                           AWS_SESSION_TOKEN say who asks; profiles are not read, aws configure \
                           export-credentials --format env prints what to set";
const RIGHTS: &str =
    "it takes s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject on bucket and prefix";
const REGION: &str = "AWS_REGION names the region of the bucket, AWS_ENDPOINT_URL another server";

/// Codes that say that the credentials themselves are wrong.
const NOT_WHO: [&str; 6] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
    "RequestTimeTooSkewed",
];

/// What went wrong with a request.
struct Failure<'t> {
    method: &'t str,
    url: &'t str,
    /// Of the answer, when there was one.
    status: Option<u16>,
    /// The server's own word for it.
    code: Option<&'t str>,
    /// What is told of it in text.
    told: &'t str,
    kind: Option<HttpErrorKind>,
}

/// An error of a request in words; none when it is no such error.
pub(super) fn explain(error: &StoreError) -> Option<Error> {
    explain_text(&error.to_string(), kind(error))
}

/// The same of an error that only its text is left of.
pub(super) fn explain_text(text: &str, kind: Option<HttpErrorKind>) -> Option<Error> {
    let (_, request) = text.rsplit_once("Error performing ")?;
    let (method, rest) = request.split_once(' ')?;
    let (url, rest) = rest.split_once(' ')?;
    // Any text may hold these words.
    if !url.starts_with("http") {
        return None;
    }
    let told = rest.split_once(" - ").map_or(rest, |(_, told)| told);
    let status = told.split_once("status code: ").map(|(_, rest)| rest);
    Some(
        Failure {
            method,
            url: url.split('?').next().unwrap_or(url),
            status: status.and_then(|rest| rest.get(..3)?.parse().ok()),
            code: between(told, "<Code>", "</Code>"),
            told,
            kind,
        }
        .into_error(),
    )
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

fn kind(error: &StoreError) -> Option<HttpErrorKind> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<HttpError>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}

impl Failure<'_> {
    fn into_error(self) -> Error {
        let url = self.url;
        let doing = match self.method {
            "GET" | "HEAD" => "reading",
            "DELETE" => "removing",
            _ => "writing",
        };
        if url.contains("/latest/api/token") || url.contains("/latest/meta-data") {
            return Error::new("there are no credentials for the bucket").hint(CREDENTIALS);
        }
        let code = self.code.unwrap_or_default();
        let word = match (self.code, self.status) {
            (Some(code), _) => code.to_owned(),
            (None, Some(status)) => format!("status {status}"),
            (None, None) => shortened(self.told),
        };
        let said = |what: String| Error::new(format!("{what} ({word})"));
        match (self.status, self.kind) {
            _ if code == "NoSuchBucket" => {
                said(format!("{doing} '{url}': there is no such bucket")).hint(REGION)
            }
            _ if NOT_WHO.contains(&code) => {
                said(format!("{doing} '{url}': the credentials are not accepted")).hint(CREDENTIALS)
            }
            (Some(401), _) => {
                said(format!("{doing} '{url}': the credentials are not accepted")).hint(CREDENTIALS)
            }
            (Some(403), _) => said(format!("{doing} '{url}' is not allowed")).hint(RIGHTS),
            (Some(301 | 307 | 400), _) if is_elsewhere(code, self.status) => {
                said(format!("'{url}' is in another region")).hint(REGION)
            }
            (Some(429 | 500..), _) => said(format!("{doing} '{url}': the server is in trouble"))
                .hint("it was asked several times; run again later"),
            (None, Some(HttpErrorKind::Timeout)) => {
                Error::new(format!("{doing} '{url}': no answer in time"))
                    .hint("run again when the server answers; AWS_TIMEOUT=2m lets a request take longer than 30 s")
            }
            (None, Some(HttpErrorKind::Connect)) => {
                Error::new(format!("{doing} '{url}': the server cannot be reached")).hint(REGION)
            }
            (None, None) if self.told.contains("redirect") => {
                Error::new(format!("'{url}' is in another region")).hint(REGION)
            }
            _ => Error::new(format!("{doing} '{url}' failed: {word}")),
        }
    }
}

fn is_elsewhere(code: &str, status: Option<u16>) -> bool {
    status != Some(400) || code == "AuthorizationHeaderMalformed"
}

/// The first line of a text, without what follows its first sentence's length.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let explained = explain_text(text, None).expect("a request");
        explained.message().to_owned()
    }

    #[test]
    fn what_a_server_says_is_told_in_words() {
        let request = "Generic S3 error: Error performing list request: Error performing GET \
                       http://h/b?list-type=2&prefix=x in 1ms - Server returned non-2xx status \
                       code: ";
        let answer = |rest: &str| said(&format!("{request}{rest}"));
        assert_eq!(
            answer("404 Not Found: <Error><Code>NoSuchBucket</Code></Error>"),
            "reading 'http://h/b': there is no such bucket (NoSuchBucket)"
        );
        assert_eq!(
            answer("403 Forbidden: "),
            "reading 'http://h/b' is not allowed (status 403)"
        );
        assert_eq!(
            answer("503 Busy: <Code>SlowDown</Code>"),
            "reading 'http://h/b': the server is in trouble (SlowDown)"
        );
        assert_eq!(
            answer("400 Bad Request: <Code>AuthorizationHeaderMalformed</Code>"),
            "'http://h/b' is in another region (AuthorizationHeaderMalformed)"
        );
        assert_eq!(
            answer("418 Teapot: <Code>Teapot</Code>"),
            "reading 'http://h/b' failed: Teapot"
        );
    }

    #[test]
    fn other_errors_are_left_to_others() {
        assert!(explain_text("division by zero", None).is_none());
        assert!(explain_text("'Error performing x y z'", None).is_none());
    }
}
