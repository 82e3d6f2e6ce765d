from pathlib import Path

import pytest

from etlnarr.errors import GateError
from etlnarr.prose import facts
from etlnarr.prose.fact import Fact
from etlnarr.prose.facts import Facts
from tests.narration import STYLES, VALUES, WITHHELD, output_of


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ glucose.mean }} {{ glucose.mean.unit }}", "111.5 mg/dL"),
        ("{{ glucose.count }}", "3,933"),
        ("{{ glucose['mean'] }}", "111.5"),
        ("{{ glucose.mean|integer }} {{ glucose.mean|decimals(2) }}", "111 111.48"),
        ("{{ glucose.change }} {{ glucose.change|signed }}", "-2.2 -2.2"),
        ("{{ glucose.change|absolute }} {{ glucose.mean|signed }}", "2.2 +111.5"),
        ("{{ glucose.change|integer|absolute|signed }}", "+2"),
        (
            "{{ glucose.awake|duration }} {{ glucose.awake|hours }} {{ glucose.awake|hours|integer }}",
            "1 h 10 min 1.2 1",
        ),
        (
            "{{ period.start|clock }} {{ period.start|day }} {{ period.start|date }}",
            "17:25 5 September 5 September 2025",
        ),
        ("{{ period.end|weekday }} {{ period.end|month }} {{ period.end|year }}", "Monday October 2025"),
        ("{{ period.end|daypart }}", "morning"),
        ("{{ glucose.risk }} {{ glucose.risk|words }} {{ glucose.risk|name }}", "very low very low very_low"),
        ("{{ glucose.risk|words({'very_low': 'hardly any'})|capital }}", "Hardly any"),
        ("{{ glucose.complete|words({true: 'whole', false: 'part'}) }}", "whole"),
        ("{{ ' from here'|capital }}", "From here"),
        ("{{ names|listed }}; {{ names[:1]|listed }}; {{ []|listed }}", "Oura and Samsung Health; Oura;"),
        ("{{ ['a', 'b', glucose.mean]|listed('or') }}", "a, b or 111.5"),
        ("{{ names[1]|name }} {{ names|first }} {{ names|length == 2 and 'alike' }}", "Samsung_Health Oura alike"),
        ("{% for name, meal in glucose.meals|pairs %}{{ name }} {{ meal.mean }} {% endfor %}", "lunch 120 dinner 98"),
        ("{% for hour in glucose.hours %}{{ hour.hour|integer }} {% endfor %}", "7 8"),
        ("on{{ ' and on' if glucose.mean > 500 }}", "on"),
        ("{{ glucose.hours|map(attribute='hour')|first|integer }}", "7"),
    ],
)
def test_what_a_template_prints(tmp_path: Path, template: str, text: str) -> None:
    assert output_of(tmp_path, template) == text


@pytest.mark.parametrize(
    "condition",
    [
        "glucose.mean.stated and glucose.mean.defined and not glucose.mean.withheld",
        "glucose.gmi.defined and glucose.gmi.withheld and not glucose.gmi.stated",
        "not glucose.mage.stated and not glucose.mage.defined",
        "glucose.stated and glucose.meals.defined and glucose.hours.stated and not silences.stated",
        "not sleep.stated and not sleep.efficiency.stated and not sleep.stages.deep.defined",
        "sleep.efficiency.unit == 'min' and glucose.unit == ''",
        "glucose.complete",
        "glucose.risk == 'very_low' and glucose.risk != 'low' and glucose.risk in ('very_low', 'low')",
        "glucose.count == 3933 and glucose.count == glucose.count",
        "glucose.mean > 111 and glucose.mean >= 111.478 and glucose.mean < 112 and glucose.mean <= glucose.count",
        "period.start is same_day(period.start) and period.start is not same_day(period.end)",
        "period.start is same_year(period.end) and period.start is not same_month(period.end)",
    ],
)
def test_what_a_template_may_ask(tmp_path: Path, condition: str) -> None:
    assert output_of(tmp_path, f"{{% if {condition} %}}so{{% else %}}not so{{% endif %}}") == "so"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ glucose.mage }}", "glucose.mage is not defined"),
        ("{{ glucose.gmi }}", "glucose.gmi is withheld"),
        ("{{ glucose.gmi|integer }}", "glucose.gmi is withheld"),
        ("{{ glucose.gmi ~ ' %' }}", "glucose.gmi is withheld"),
        ("{{ sleep.efficiency }}", "sleep.efficiency is not defined"),
        ("{% if glucose.gmi > 5 %}{% endif %}", "glucose.gmi is withheld"),
        ("{% if glucose.mage == 5 %}{% endif %}", "glucose.mage is not defined"),
        ("{% if glucose.mean == glucose.gmi %}{% endif %}", "glucose.gmi is withheld"),
        ("{% if glucose.risk > 5 %}{% endif %}", "glucose.risk cannot be compared: it is not a number"),
        ("{% if glucose.mean > 'a' %}{% endif %}", "is not a number"),
        ("{% if glucose.mean %}{% endif %}", "glucose.mean is no yes or no"),
        ("{% if glucose.mean == nothing %}{% endif %}", "nothing"),
        ("{{ glucose.complete }}", "glucose.complete is not a number"),
        ("{{ glucose.undeclared }}", "glucose.undeclared has no declared decimals"),
        ("{{ glucose.typo }}", "glucose.typo is not among the facts"),
        ("{% if glucose.typo.stated %}{% endif %}", "glucose.typo is not among the facts"),
        ("{{ glucose.mean.value }}", "glucose.mean.value is not among the facts"),
        ("{{ glucose.mean['value'] }}", "glucose.mean.value is not among the facts"),
        ("{{ glucose.hours.values }}", "glucose.hours.values is not among the facts"),
        ("{{ glucose }}", "only facts, constants and text can be printed: glucose is a group"),
        ("{{ glucose.hours }}", "glucose.hours is a group"),
        ("{{ glucose.mean.stated }}", "only facts, constants and text can be printed: not bool"),
        ("{% for hour in glucose.hours %}{{ loop.index }}{% endfor %}", "not int"),
        ("{{ glucose.mean + 1 }}", "unsupported operand"),
        ("{{ '%d' % glucose.mean }}", "real number is required"),
        ("{{ {'very_low': 'fine'}[glucose.risk] }}", "has no"),
        ("{{ glucose.risk|words({'low': 'x'}) }}", "glucose.risk has a word that words"),
        ("{{ glucose.risk|words({'very_low': glucose.mean ~ ''}) }}", "glucose.risk takes plain texts in words()"),
        ("{{ glucose.mean|words }}", "glucose.mean is not a word"),
        ("{{ glucose.mean|clock|name }}", "glucose.mean is not a word"),
        ("{{ glucose.risk|duration }}", "glucose.risk is not a number"),
        ("{{ glucose.risk|date }}", "glucose.risk is not a time"),
        ("{{ 'text'|duration }}", "this filter takes a fact, not str"),
        ("{{ glucose|integer }}", "this filter takes a fact, not Facts"),
        ("{{ glucose.mean|upper }}", "No filter named 'upper'"),
        ("{{ glucose.mean|round }}", "No filter named 'round'"),
        ("{{ glucose.mage|default('none') }}", "No filter named 'default'"),
        ("{% if glucose.typo is defined %}{% endif %}", "No test named 'defined'"),
        ("{{ range(3) }}", "range is not among the facts"),
        ("{{ glucose.mean() }}", "not callable"),
        ("{{ 'a'.index('b') }}", "ValueError"),
    ],
)
def test_what_a_template_may_not_do(tmp_path: Path, template: str, message: str) -> None:
    with pytest.raises(GateError) as refused:
        output_of(tmp_path, template)
    assert message in str(refused.value)
    assert "story.jinja" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not any(reading in str(refused.value) for reading in ("111", "5.9", "3933", "1.5", "very_low"))


def test_a_withheld_group_withholds_all_below_it() -> None:
    tree = facts({"sleep": {"stages": [{"deep": 20.0}]}}, {}, frozenset({"sleep.stages"}))
    sleep = tree.child("sleep")
    assert isinstance(sleep, Facts)
    assert not sleep.withheld
    row = sleep.child("stages")[0]  # type: ignore[index]  # a list
    assert isinstance(row, Facts)
    deep = row.child("deep")
    assert (deep.path, deep.withheld) == ("sleep.stages.0.deep", True)


def test_the_repr_of_a_fact_holds_no_value() -> None:
    assert repr(Fact("glucose.mean", 111.478)) == "<fact glucose.mean>"


def test_facts_have_no_hash() -> None:
    with pytest.raises(TypeError):
        {Fact("a", 1)}


def test_an_empty_text_is_not_defined() -> None:
    assert not Fact("name", "").defined


def test_the_tree_takes_style_and_withholding_by_path() -> None:
    glucose = facts(VALUES, STYLES, WITHHELD).child("glucose")
    assert isinstance(glucose, Facts)
    lunch = glucose.child("meals").child("lunch").child("mean")  # type: ignore[union-attr]  # facts all the way
    assert (lunch.path, lunch.style.unit) == ("glucose.meals.lunch.mean", "mg/dL")
