"""What the words of trackers mean: the event types that datasets know, and presets of words for them.

A word counts in any case; blanks and hyphens are as good as underscores: `Product Added` is `product_added`.
"""

import unicodedata
from collections.abc import Mapping

from shopmill.errors import InvalidInputError, did_you_mean

EVENT_TYPES = ("view", "click", "add_to_cart", "remove_from_cart", "checkout", "purchase")
STAND_INS = (
    "na",
    "n/a",
    "null",
    "none",
    "nan",
    "undefined",
    "unknown",
    "(none)",
    "(not set)",
    "-",
    "--",
    "?",
    "0",
    "anonymous",
)
"""What trackers and spreadsheets write where they mean nothing, in lower case."""
SURELY_CANCELLED = (
    "cancel", "annul", "storn", "void", "avbruten", "avbrut", "avbest", "makuler", "anul", "zruš", "perutt", "peruut", "iptal",
    "отмен", "скасов", "ακυρ", "取消", "キャンセル", "취소", "ملغ",
)  # fmt: skip
"""Parts of words, in small letters, that say that an order was cancelled."""
MAY_BE_A_RETURN = (
    *SURELY_CANCELLED, "refund", "return", "reject", "chargeback", "retour", "erstatt", "zurück", "devol", "devuel",
    "rembours", "возвра", "返品", "退",
)  # fmt: skip
"""Parts of words that may mean that an order came back: a person is asked."""
OTHER = "other"
"""What a known word means that is no event type: it is kept as it is, outside the funnel, and no run warns of it."""


def _words(text: str) -> Mapping[str, str]:
    """Words by line of `event type: word word`."""
    lines = (line.split(":") for line in text.strip().splitlines())
    return {word: kind.strip() for kind, words in lines for word in words.split()}


_ECOMMERCE_SPEC = _words("""
    view: product_viewed
    click: product_clicked
    add_to_cart: product_added
    remove_from_cart: product_removed
    checkout: checkout_started
    purchase: order_completed
    other: products_searched product_list_viewed product_list_filtered promotion_viewed promotion_clicked cart_viewed
    other: checkout_step_viewed checkout_step_completed payment_info_entered order_updated order_refunded order_cancelled
    other: coupon_entered coupon_applied coupon_denied coupon_removed product_added_to_wishlist cart_shared
    other: product_removed_from_wishlist wishlist_product_added_to_cart product_shared product_reviewed
""")
PRESETS: Mapping[str, Mapping[str, str]] = {
    "canonical": {},
    "ga4": _words("""
        view: view_item
        click: select_item
        checkout: begin_checkout
        other: page_view session_start first_visit user_engagement scroll search view_search_results login sign_up
        other: view_item_list view_cart add_shipping_info add_payment_info add_to_wishlist refund view_promotion
        other: select_promotion form_start form_submit file_download video_start video_progress video_complete
    """),
    "segment": {**_ECOMMERCE_SPEC, **_words("other: page screen identify")},
    "rudderstack": {**_ECOMMERCE_SPEC, **_words("other: page screen identify")},
    "posthog": {
        **_ECOMMERCE_SPEC,
        **_words("other: $pageview $pageleave $autocapture $rageclick $identify $set $screen $web_vitals"),
    },
    "snowplow": _words("""
        view: product_view
        click: list_click
        checkout: checkout_step
        purchase: transaction
        other: page_view page_ping link_click button_click focus_form change_form submit_form site_search list_view
        other: promo_view promo_click refund trns_error transaction_error transaction_item ad_impression
    """),
    "matomo": _words("""
        view: ecommerceproductview setecommerceview
        add_to_cart: ecommerceabandonedcart addecommerceitem trackecommercecartupdate
        remove_from_cart: removeecommerceitem
        purchase: ecommerceorder trackecommerceorder
        other: action event search outlink download goal content
    """),
    "retailrocket": _words("""
        add_to_cart: addtocart addtobasket
        purchase: transaction order
    """),
    "rees46": _words("""
        add_to_cart: cart
        other: category search wish rate
    """),
}
"""Words by tracker, beside the event types themselves. docs/trackers.md says where they are from."""


SIGMA = "\u03c3"
ALIKE = str.maketrans({"İ": "i", "Σ": SIGMA, "ς": SIGMA, **dict.fromkeys("\u2010\u2012\u2013\u2014\u2015\u2212", "-")})
"""Letters of which Python, DuckDB and Java make different small ones, and hyphens."""
DOTTED_I = "i\u0307"
"""The small letter that some make of İ."""


def plain(word: str) -> str:
    """A word in the one spelling that words of a vocabulary have: full-width letters and the like are the usual ones."""
    return unicodedata.normalize("NFKC", word).translate(ALIKE).replace(DOTTED_I, "i")


def small(word: str) -> str:
    """A word in its plain spelling and small letters."""
    return plain(word).strip().lower()


def code(word: str) -> str:
    """The code of a currency in its plain spelling and capitals."""
    return plain(word).strip().upper()


def may_be_a_return(status: str) -> bool:
    """Whether a word of order_status, in small letters, may mean that the order came back."""
    return any(part in status for part in MAY_BE_A_RETURN)


def normal(word: str) -> str:
    """A word as it is compared. judged_events.sql does the same to one that is plain."""
    return small(word).replace(" ", "_").replace("-", "_")


def event_words(vocabulary: str, mapped: str) -> dict[str, str]:
    """Every known word with its meaning: of the presets named in `vocabulary`, then `mapped` ones (word=event type)."""
    found = {kind: kind for kind in EVENT_TYPES}
    for name in _listed(vocabulary):
        if name not in PRESETS:
            raise InvalidInputError(
                f"SHOPMILL_EVENT_VOCABULARY names {name!r}; there are {', '.join(PRESETS)}."
                + did_you_mean(name, PRESETS)
            )
        found |= PRESETS[name]
    return {**found, **_mapped(mapped)}


def _mapped(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for word, meaning in map(_pair, _listed(text)):
        if found.setdefault(word, meaning) != meaning:
            raise InvalidInputError(
                f"SHOPMILL_EVENT_TYPES has {word!r} as {found[word]} and as {meaning}: leave one of them out."
            )
    return found


def _pair(text: str) -> tuple[str, str]:
    word, _, meaning = text.partition("=")
    meanings = (*EVENT_TYPES, OTHER)
    if not word.strip() or normal(meaning) not in meanings or any(mark in word for mark in "|>"):
        raise InvalidInputError(
            f"SHOPMILL_EVENT_TYPES has {text!r}: write word=type, with one of {', '.join(meanings)}."
            + did_you_mean(normal(meaning), meanings)
        )
    return normal(word), normal(meaning)


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
