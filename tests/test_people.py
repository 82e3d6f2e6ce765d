from pathlib import Path

import pytest

from etlnarr import people
from etlnarr.errors import UsageError
from etlnarr.people import Person
from etlnarr.settings import Settings

HEADER = "user_id,birth_year,sex,tz,diabetes,pregnant,mass_kg,height_cm\n"


def test_a_line_is_a_person_and_what_is_empty_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(HEADER + "u1,1985,female,America/Chicago,t1,false,70.5,172\nu2,,,,,,,\n", encoding="utf-8-sig")
    known = people.load(file)
    assert known["u1"] == Person(
        user_id="u1", birth_year=1985, sex="female", tz="America/Chicago", diabetes="t1", pregnant=False, mass_kg=70.5,
        height_cm=172,
    )  # fmt: skip
    assert known["u2"] == Person(user_id="u2")


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("u1,1785,,,,,,", "birth_year"),
        ("u1,,other,,,,,", "sex"),
        ("u1,,,Mars/Olympus,,,,", "tz"),
        ("u1,,,,sweet,,,", "diabetes"),
        ("u1,,,,,,-4,", "mass_kg"),
        (",1985,,,,,,", "user_id"),
        ("u1,,,,,,,,extra", "more columns"),
        ("u1,,,,,,,\nu1,,,,,,,", "the user of this line has one already"),
    ],
)
def test_a_wrong_line_is_named_and_its_values_are_not(line: str, where: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(HEADER + line + "\n")
    with pytest.raises(UsageError, match=where) as caught:
        people.load(file)
    assert not {"1785", "other", "Mars", "sweet", "u1"} & set(str(caught.value).replace(",", " ").split())


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", None])
def test_a_file_that_cannot_be_read_is_a_usage_error(body: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    if body:
        file.write_bytes(body)
    with pytest.raises(UsageError, match="cannot be read"):
        people.load(file)


def test_the_line_of_a_person_wins_over_the_settings() -> None:
    settings = Settings(tz="Asia/Tokyo", age=40)
    known = {"u1": Person(user_id="u1", tz="Europe/Paris", birth_year=1990)}
    told = people.of("u1", known, settings)
    assert (told.tz, told.age_at(1_763_200_800_000)) == ("Europe/Paris", 35)
    assert people.of("u2", known, settings) == Person(user_id="u2", tz="Asia/Tokyo", age=40)
    assert people.of("u2", known, settings).age_at(0) == 40
