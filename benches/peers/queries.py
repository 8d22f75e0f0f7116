"""What is asked: one set of features, scores and segments, in the words of each engine.

Scores are quintiles by value (cut points with linear interpolation, bins closed on the
right), so that equal customers share a score whatever computes them.
"""

from __future__ import annotations

from datetime import date, timedelta

# Everything is evaluated at the end of this day; all orders lie before it.
AS_OF = "2026-01-01"

SHARES = (0.2, 0.4, 0.6, 0.8)

# Conditions over customer_id, r (days since the last order), f (orders), m (money), age
# (days since the first order) and the scores rs, fs, ms. They mean the same in every dialect.
SEGMENTS: dict[str, str] = {
    "champions": "rs = 5 AND fs >= 4",
    "loyal": "rs BETWEEN 3 AND 4 AND fs >= 4",
    "potential": "rs >= 4 AND fs BETWEEN 2 AND 3",
    "fresh": "rs = 5 AND fs = 1",
    "promising": "rs = 4 AND fs = 1",
    "need_attention": "rs = 3 AND fs = 3",
    "about_to_sleep": "rs = 3 AND fs <= 2",
    "cant_lose": "rs <= 2 AND fs = 5",
    "at_risk": "rs <= 2 AND fs BETWEEN 3 AND 4",
    "hibernating": "rs <= 2 AND fs <= 2",
    "whales": "ms = 5",
    "small": "ms = 1",
    "new30": "age <= 30",
    "inactive180": "r > 180",
    "inactive365": "r > 365",
    "regular": "f >= 5 AND r <= 90",
    "one_timers": "f = 1",
    "lapsing": "r BETWEEN 60 AND 120 AND f >= 3",
    "high_basket": "m > 40 * f",
    "vip": "rs = 5 AND fs = 5 AND ms = 5",
}


def month_ends(count: int = 24) -> list[str]:
    """The ends of the months of two years."""
    firsts = [date(2024 + at // 12, at % 12 + 1, 1) for at in range(1, count + 1)]
    return [str(first - timedelta(days=1)) for first in firsts]


def total(features: str) -> str:
    """Features of everyone, added up so that the answer is small."""
    return f"SELECT count(*) AS n, sum(r) AS r, sum(f) AS f, sum(m) AS m FROM ({features}) AS t"


def cells(scores: str) -> str:
    """How many people have each combination of scores."""
    return f"""SELECT rs, fs, ms, count(*) AS n FROM ({scores}) AS t
        GROUP BY rs, fs, ms ORDER BY rs, fs, ms"""


def overlap(members: str) -> str:
    """How many people each two segments have in common."""
    return f"""SELECT a.segment AS sa, b.segment AS sb, count(*) AS both
        FROM ({members}) AS a JOIN ({members}) AS b ON a.customer_id = b.customer_id
        WHERE a.segment < b.segment GROUP BY a.segment, b.segment
        ORDER BY sa, sb"""


def distinct_references(table: str) -> str:
    """Frequency as distinct numbers of orders, which are text."""
    return f"""SELECT count(*) AS n, sum(f) AS f FROM (
        SELECT customer_id, count(DISTINCT order_ref) AS f FROM {table}
        WHERE status = 'completed' GROUP BY customer_id) AS t"""


def distinct_days(table: str) -> str:
    """Days with an order, and the mean basket."""
    return f"""SELECT count(*) AS n, sum(days) AS days, sum(basket) AS basket FROM (
        SELECT customer_id, count(DISTINCT CAST(ordered_at AS DATE)) AS days,
          avg(amount) AS basket FROM {table}
        WHERE status = 'completed' GROUP BY customer_id) AS t"""


def scan(table: str) -> str:
    """Three columns read, nothing grouped."""
    return f"""SELECT max(ordered_at) AS last, sum(amount) AS amount,
        max(customer_id) AS customer FROM {table}"""
