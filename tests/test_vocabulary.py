"""What the words of trackers mean."""

import pytest

from shopmill.errors import InvalidInputError
from shopmill.settings import Settings
from shopmill.vocabulary import EVENT_TYPES, OTHER, PRESETS, event_words, normal


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_means_event_types_alone_and_has_a_purchase(name: str) -> None:
    words = event_words(name, "")
    assert set(words.values()) <= {*EVENT_TYPES, OTHER}
    assert {"view", "add_to_cart", "purchase"} <= set(words.values())
    assert all(normal(word) == word for word in words)


def test_words_mapped_one_by_one_count_more_than_a_preset() -> None:
    words = event_words("ga4", "page_view=view, Add-To Bag = add_to_cart")
    assert (words["page_view"], words["add_to_bag"], words["begin_checkout"]) == ("view", "add_to_cart", "checkout")


@pytest.mark.parametrize(
    ("vocabulary", "mapped", "said"),
    [
        ("ga5", "", r"SHOPMILL_EVENT_VOCABULARY names 'ga5'.*Did you mean 'ga4'"),
        ("ga4", "page_view=veiw", r"SHOPMILL_EVENT_TYPES has 'page_view=veiw': write word=type.*Did you mean 'view'"),
        ("ga4", "=view", "SHOPMILL_EVENT_TYPES has '=view'"),
        ("ga4", "page_view", "SHOPMILL_EVENT_TYPES has 'page_view'"),
        ("ga4", "a|b=view", "write word=type"),
    ],
)
def test_what_is_not_a_word_or_a_preset_is_said(vocabulary: str, mapped: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Settings(_env_file=None, event_vocabulary=vocabulary, event_types=mapped)


def test_presets_do_not_contradict_each_other() -> None:
    meanings = {(word, meaning) for words in PRESETS.values() for word, meaning in words.items()}
    assert len({word for word, _ in meanings}) == len(meanings)
