"""Everything that is asked, a file a kind of question."""

from questions.denials import Denials
from questions.grouped import Grouped
from questions.question import Question
from questions.users import Users
from questions.utilization import Utilization

BUSIEST, MIDDLE = 1, 100

# Of the store with a year of a large site.
YEAR: list[Question] = [
    Utilization("utilization-year", "utilization history of the busiest feature, a year", BUSIEST),
    Utilization("utilization-year-middle", f"utilization history of feature {MIDDLE}, a year", MIDDLE),
    Users(),
    Denials("denials-year", "every denial of the busiest feature, a year", BUSIEST),
    Grouped("grouped-year", "denials of the busiest feature by hour, a year", BUSIEST),
]
# Of that, and of smaller sites with one and with ten years of history.
MONTH: list[Question] = [
    Utilization("utilization-month", "utilization history of the busiest feature, a month", BUSIEST, month=True),
    Denials("denials-month", "every denial of the busiest feature, a month", BUSIEST, month=True),
    Grouped("grouped-month", "denials of the busiest feature by hour, a month", BUSIEST, month=True),
]
ALL = {question.name: question for question in YEAR + MONTH}
