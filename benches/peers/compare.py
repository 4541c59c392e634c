"""Whether two answers are the same, to the row and the unit. A difference ends the run: a quick wrong answer is worth no second."""

import itertools

from questions.question import Parts, Question


class Different(SystemExit):
    """The run ends with this, and says who differs from whom where."""


def same(expected: Parts, told: Parts, who: str, question: Question) -> None:
    """Ends the run if an answer is not what headroom says with all digits."""
    for part, rows in expected.items():
        if part not in told:
            raise Different(f"{who} has no {part} of {question.name}")
        answered = told[part]
        if not question.ordered:
            rows, answered = sorted(rows), sorted(answered)
        for place, (wanted, got) in enumerate(itertools.zip_longest(rows, answered)):
            if wanted is None or got is None or tuple(wanted) != tuple(got):
                raise Different(f"DIFFERENT: {who}, {question.name}, {part}, row {place}: {got} is not headroom's {wanted}")
