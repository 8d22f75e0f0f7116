"""The base of all segments in each dialect: features per customer, and with scores."""

from __future__ import annotations

from queries import AS_OF, SHARES


class DuckDB:
    """DuckDB's SQL."""

    def table(self, path: object) -> str:
        return f"'{path}'"

    def features(self, table: str, as_of: str = AS_OF, later: bool = False) -> str:
        """Recency, frequency, money and age of everyone; `later` orders may be there."""
        day = f"DATE '{as_of}'"
        seen = f" AND ordered_at < {day} + 1" if later else ""
        return f"""SELECT customer_id, date_diff('day', max(ordered_at)::DATE, {day}) AS r,
            count(*) AS f, sum(amount) AS m,
            date_diff('day', min(ordered_at)::DATE, {day}) AS age
            FROM {table} WHERE status = 'completed'{seen}
            GROUP BY customer_id"""

    def scores(self, table: str, as_of: str = AS_OF, later: bool = False) -> str:
        shares = list(SHARES)

        def quintile(measure: str) -> str:
            above = [f"({measure} > {measure}q[{at}])::INT" for at in range(1, 5)]
            return " + ".join(above)

        return f"""WITH b AS MATERIALIZED ({self.features(table, as_of, later)}),
            q AS (SELECT quantile_cont(r::DOUBLE, {shares}) AS rq,
              quantile_cont(f::DOUBLE, {shares}) AS fq,
              quantile_cont(m::DOUBLE, {shares}) AS mq FROM b)
            SELECT customer_id, r, f, m, age, 5 - ({quintile("r")}) AS rs,
              1 + ({quintile("f")}) AS fs, 1 + ({quintile("m")}) AS ms FROM b, q"""


class ClickHouse:
    """ClickHouse's SQL, as chdb runs it."""

    def table(self, path: object) -> str:
        return f"file('{path}', Parquet)"

    def features(self, table: str, as_of: str = AS_OF, later: bool = False) -> str:
        day = f"toDate('{as_of}')"
        seen = f" AND ordered_at < {day} + 1" if later else ""
        return f"""SELECT customer_id, dateDiff('day', toDate(max(ordered_at)), {day}) AS r,
            count() AS f, sum(amount) AS m,
            dateDiff('day', toDate(min(ordered_at)), {day}) AS age
            FROM {table} WHERE status = 'completed'{seen}
            GROUP BY customer_id"""

    def scores(self, table: str, as_of: str = AS_OF, later: bool = False) -> str:
        shares = ", ".join(map(str, SHARES))

        def quintile(measure: str) -> str:
            return " + ".join(f"({measure} > {measure}q[{at}])" for at in range(1, 5))

        def cuts(measure: str) -> str:
            values = f"toFloat64({measure})"
            return f"quantilesExactInclusive({shares})({values}) AS {measure}q"

        return f"""WITH b AS ({self.features(table, as_of, later)}),
            q AS (SELECT {cuts("r")}, {cuts("f")}, {cuts("m")} FROM b)
            SELECT customer_id, r, f, m, age, 5 - ({quintile("r")}) AS rs,
              1 + ({quintile("f")}) AS fs, 1 + ({quintile("m")}) AS ms FROM b CROSS JOIN q"""


class Segql:
    """segql's SQL: the date comes from outside, and a score is a function."""

    def table(self, path: object) -> str:
        return f"'{path}'"

    def features(self, table: str) -> str:
        return f"""SELECT customer_id, days_since(max(ordered_at)) AS r, count(*) AS f,
            sum(amount) AS m, days_since(min(ordered_at)) AS age
            FROM {table} WHERE status = 'completed' GROUP BY customer_id"""

    def scores_of(self, features: str) -> str:
        return f"""SELECT customer_id, r, f, m, age,
            score['r'] AS rs, score['f'] AS fs, score['m'] AS ms
            FROM (SELECT *, rfm_score(r, f, m) OVER () AS score FROM {features}) AS scored"""

    def scores(self, table: str) -> str:
        return self.scores_of(f"({self.features(table)}) AS features")
