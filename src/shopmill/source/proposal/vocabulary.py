"""What shops call their tables and columns: the words by which a proposal finds those of the contract."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from shopmill.source.contract import TABLES

Kind = Literal["id", "text", "number", "whole", "time", "flag", "customers", "articles", "orders"]
"""What a column must be like: of a family of types, or a reference to another table."""

TYPES: Mapping[Kind, frozenset[str]] = {
    "id": frozenset({"text", "varchar", "bpchar", "uuid", "name", "citext", "int2", "int4", "int8", "numeric"}),
    "text": frozenset({"text", "varchar", "bpchar", "name", "citext", "enum"}),
    "number": frozenset({"numeric", "int2", "int4", "int8", "float4", "float8", "money"}),
    "whole": frozenset({"int2", "int4", "int8"}),
    "time": frozenset({"timestamptz", "timestamp", "date"}),
    "flag": frozenset({"bool"}),
}
KINDS: Mapping[str, Kind] = {
    "varchar": "text",
    "integer": "whole",
    "decimal(18,6)": "number",
    "decimal(18,10)": "number",
    "boolean": "flag",
    "date": "time",
    "timestamptz": "time",
}
"""The family of a type of the contract."""
TIMES = "created_at created created_on creation_date created_date date datetime timestamp time day datum zeitpunkt \
    erstellt_am erstellt"
REFERENCES: Mapping[str, str] = {
    "customers": "customer_id client_id user_id member_id account_id buyer_id customer client customer_no customer_number "
    "kunden_id kundennummer kundennr kunden_nr kunde",
    "articles": "article_id sku product_id item_id variant_id stock_code product_code article product item article_no isbn ean "
    "artikel_id artikelnummer artikelnr artikel_nr produkt_id artikel produkt",
    "orders": "order_id sale_id invoice_id purchase_id invoice_no invoice order_no order_number order basket_id receipt_id "
    "bestell_id bestellung_id bestellnummer bestellnr bestell_nr auftrag_id auftragsnummer bestellung auftrag",
}


@dataclass(frozen=True)
class Wanted:
    """A column of the contract, what it must be like, and what shops call it, the surest name first."""

    column: str
    kind: Kind
    names: tuple[str, ...]
    optional: bool


@dataclass(frozen=True)
class Role:
    """What a table of a shop may be, what shops call it, and its columns. Those that the contract lacks help to make others."""

    name: str
    names: tuple[str, ...]
    wanted: tuple[Wanted, ...]


def flat(name: str) -> str:
    """A name without its case and without what separates its words."""
    return re.sub(r"[\W_]", "", name).lower()


def words(name: str) -> tuple[str, ...]:
    """The words of a name in the singular: `SalesOrders` and `sales_order` are the same."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    return tuple(singular(word) for word in re.split(r"[\W_]+", parts) if word)


def singular(word: str) -> str:
    """An English word in the singular."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _role(name: str, names: str, wanted: str) -> Role:
    listed = tuple(_wanted(wanted))
    return Role(name, tuple(names.split()), (*listed, *_others(name, {column.column for column in listed})))


def _others(name: str, listed: set[str]) -> Iterable[Wanted]:
    """The columns of the contract that shops call what the contract calls them, if they have them."""
    columns = TABLES[name].selected if name in TABLES else ()
    return (Wanted(c.name, KINDS[c.type], (c.name,), True) for c in columns if c.name not in listed)


def _wanted(text: str) -> Iterable[Wanted]:
    """Columns from lines of `name kind: names`; a ? marks an optional one."""
    for line in text.strip().splitlines():
        head, _, names = line.partition(":")
        column, kind = head.split()
        name = column.rstrip("?")
        called = (names or REFERENCES.get(kind, "")).split()
        yield Wanted(name, kind, tuple(dict.fromkeys([name, *called])), name != column)  # type: ignore[arg-type]


ROLES: Mapping[str, Role] = {
    role.name: role
    for role in (
        _role(
            "customers",
            "customer client buyer member shopper household account user kunde kunden cliente",
            f"""
            customer_id id: id client_id member_id user_id account_id customer_no customer_number kundennummer \
                kundennr code uuid
            created_at? time: joined joined_at date_joined registered registered_at signup_date signed_up_at since \
                angelegt_am registriert_am {TIMES}
            age? whole: age alter
            postal_code? id: postcode zip zip_code plz
            club_member_status? text: club_member_status
            fashion_news_frequency? text: fashion_news_frequency
            """,
        ),
        _role(
            "articles",
            "article product item sku variant product_variant stock_item book good catalog catalogue artikel produkt produkte producto",
            """
            article_id id: sku product_id item_id variant_id stock_code article_no article_number item_no \
                artikelnummer artikelnr isbn ean gtin code id uuid
            product_code? id: model style style_code parent_sku parent_id product_group_id
            prod_name? text: name title product_name label bezeichnung titel
            product_type_name? text: product_type type subcategory
            product_group_name? text: category category_name product_group product_category group warengruppe kategorie
            colour_group_name? text: colour color colour_name color_name farbe
            department_name? text: department
            section_name? text: section
            detail_desc? text: description long_description about body details beschreibung
            price? number: unit_price net_price list_price sale_price unit_price_cents price_cents cents unit_cents \
                preis amount
            stock? whole: stock_quantity stock_qty in_stock inventory on_hand quantity qty units_in_stock available \
                lagerbestand bestand
            is_listed? flag: listed is_active active is_published published visible enabled aktiv sichtbar
            """,
        ),
        _role(
            "order_items",
            "order_item order_line line_item sale_line sales_line invoice_line order_detail order_product basket_item basket_line "
            "sale_item sales_item invoice_item order_position receipt_line purchase_line purchase_item bestellposition "
            "bestellpositionen auftragsposition auftragspositionen",
            f"""
            order_id orders:
            article_id articles:
            quantity? number: qty units unit_count pieces count quantity_ordered menge anzahl stueck stück
            price number: unit_price net_price price_per_unit unit_amount sale_price unit_cents unit_price_cents \
                price_cents einzelpreis stueckpreis stückpreis preis cents line_total total amount
            item_datetime? time: item_datetime
            currency? text: currency_code waehrung währung
            changed_at? time: updated_at modified_at updated modified touched last_modified write_date geaendert_am \
                geändert_am
            time? time: order_date ordered_at sold_at bestelldatum bestellt_am {TIMES}
            """,
        ),
        _role(
            "orders",
            "order sale sales_order customer_order purchase invoice receipt bestellung bestellungen auftrag aufträge auftraege pedido",
            f"""
            order_id id: id sale_id invoice_no order_no order_number bestellnummer auftragsnummer number uuid code
            order_datetime time: ordered_at order_date placed_at placed purchase_date purchase_timestamp sold_at \
                invoice_date bestelldatum bestellt_am {TIMES}
            customer_id? customers:
            order_status? text: status state order_state
            currency? text: currency_code waehrung währung
            changed_at? time: updated_at modified_at updated modified touched last_modified write_date geaendert_am \
                geändert_am
            """,
        ),
        _role(
            "transactions",
            "transaction sale purchase sale_line sales_line invoice_line retail order",
            f"""
            t_dat time: sold_at sale_date order_date ordered_at purchase_date invoice_date transaction_date \
                placed_at verkauft_am verkaufsdatum bestelldatum {TIMES}
            article_id articles:
            price number: unit_price net_price price_per_unit unit_amount sale_price unit_cents unit_price_cents \
                price_cents einzelpreis stueckpreis stückpreis preis cents total amount
            customer_id? customers:
            quantity? number: qty units unit_count pieces menge anzahl stueck stück
            currency? text: currency_code waehrung währung
            changed_at? time: updated_at modified_at updated modified touched last_modified write_date geaendert_am \
                geändert_am
            order_id? orders:
            """,
        ),
        _role(
            "returns",
            "refund return refund_line refund_item return_line return_item credit_note rma retoure retouren",
            f"""
            order_id orders:
            article_id articles:
            quantity number: qty units unit_count pieces count menge anzahl
            price? number: einzelpreis unit_price net_price price_per_unit unit_amount unit_cents price_cents cents \
                amount
            item_datetime? time: booked booked_at returned_at refunded_at return_date refund_date {TIMES}
            """,
        ),
        _role(
            "exchange_rates",
            "exchange_rate currency_rate fx fx_rate forex rate kurs kurse wechselkurs wechselkurse",
            """
            day time: date rate_date valid_from valid_on as_of
            currency text: currency_code code iso iso_code
            rate number: value exchange_rate fx_rate
            """,
        ),
        _role(
            "events",
            "event hit click clickstream pageview page_view tracking activity interaction web_event track ereignis ereignisse klick klicks",
            f"""
            event_id id: hit_id message_id id uuid guid
            event_type text: type event event_name action what name kind aktion ereignis
            event_datetime time: event_time occurred_at seen seen_at sent_at received_at ts at {TIMES}
            visitor_id? id: visitor besucher browser browser_id anonymous_id device_id cookie cookie_id distinct_id
            session_id? id: session sitzung visit_id visit session_key
            customer_id? customers:
            article_id? articles:
            event_value? number: value revenue amount
            currency? text: currency_code waehrung währung
            user_agent? text: agent ua browser_agent
            """,
        ),
        _role(
            "reviews",
            "review rating opinion feedback testimonial product_review bewertung bewertungen",
            f"""
            review_id id: id uuid
            rating whole: stars star_rating score grade points sterne note
            review_date time: written written_at reviewed_at posted_at submitted_at {TIMES}
            review_text text: text body content comment comment_message words message review kommentar
            customer_id? customers:
            article_id? articles:
            """,
        ),
        _role(
            "promotions",
            "promotion promo campaign offer discount special aktion aktionen rabatt rabatte",
            """
            starts_on time: starts_at start_date start valid_from date_from from_date begins_on
            ends_on? time: ends_at end_date end valid_to valid_until date_to to_date
            article_id? articles:
            product_group_name? text: category category_name product_group product_category
            kind? text: type name title
            """,
        ),
    )
}
NEGATED = ("hidden", "ishidden", "discontinued", "isdiscontinued", "deleted", "isdeleted", "archived", "disabled")
"""Flags of an article that say the opposite of is_listed."""
EMAILS = ("email", "emailaddress", "mail", "customeremail", "contactemail")
COUNTRIES = ("country", "countrycode", "countryiso", "countryid", "land")
_CODES = (
    "AED ARS AUD BDT BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES KRW KWD MAD MXN MYR "
    "NGN NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TRY TWD UAH USD UYU VND ZAR"
)
CURRENCIES = frozenset(_CODES.split())
"""The currencies that are looked for: by them a column of money's names is known, whatever it is called."""
