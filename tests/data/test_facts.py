import re
from collections import Counter

from data.facts import bank_codes, organisations, platforms, shorteners
from data.plain import plain

ENTRIES = list(organisations().values())


def test_every_organisation_says_where_it_is_from_and_when_it_was_checked() -> None:
    for entry in ENTRIES:
        assert entry.source, entry.id
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", entry.checked), entry.id


def test_aliases_are_folded_as_messages_are_when_they_are_compared() -> None:
    for entry in ENTRIES:
        assert entry.aliases, entry.id
        assert all(plain(alias).text == alias for alias in entry.aliases), entry.id


def test_a_domain_belongs_to_one_organisation() -> None:
    domains = Counter(domain for entry in ENTRIES for domain in entry.domains)
    assert [domain for domain, count in domains.items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain) for domain in domains)


def test_the_kinds_that_scammers_pretend_to_be_are_all_there() -> None:
    kinds = Counter(entry.kind for entry in ENTRIES)
    asked = [
        "bank",
        "wallet",
        "carrier",
        "power",
        "water",
        "insurance",
        "delivery",
        "marketplace",
        "state",
        "finance",
        "securities",
    ]
    assert set(asked) <= set(kinds)
    assert kinds["bank"] >= 30


def test_a_bank_is_found_by_its_number_and_by_its_code() -> None:
    known = organisations()
    assert bank_codes()["970418"] == bank_codes()["BIDV"] == "bidv"
    assert all(known[name].kind == "bank" for name in bank_codes().values())


def test_a_domain_that_leads_anywhere_is_a_shortener_or_a_platform() -> None:
    assert shorteners()
    assert platforms()
    assert not shorteners() & platforms()
