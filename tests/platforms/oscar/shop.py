"""A django-oscar shop, used through Oscar itself: `shop.py place`, some weeks later `shop.py later`, and `shop.py totals`.

Oscar counts for itself: `totals` prints what its own models say about every order, as JSON.
"""

import json
import os
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from oscar.apps.catalogue.categories import create_from_breadcrumbs
from oscar.core.loading import get_class, get_model

User = get_user_model()
Product, StockRecord = get_model("catalogue", "Product"), get_model("partner", "StockRecord")
Order, Review = get_model("order", "Order"), get_model("reviews", "ProductReview")
Basket, Voucher = get_model("basket", "Basket"), get_model("voucher", "Voucher")
handler = get_class("order.processing", "EventHandler")()
RETURNED = {"name": "Returned"}


class Strategy(
    get_class("partner.strategy", "StockRequired"),
    get_class("partner.strategy", "FixedRateTax"),
    get_class("partner.strategy", "Structured"),
):
    """Prices of one currency, 25 % tax on top."""

    rate = Decimal("0.25")
    currency = "EUR"

    def select_stockrecord(self, product: Any) -> Any:
        return product.stockrecords.filter(price_currency=self.currency).first()


def request_of(user: Any) -> Any:
    request = RequestFactory().get("/")
    request.user, request.session = user or AnonymousUser(), {}
    return request


def fill_catalogue() -> None:
    shirts, home, cellar = (create_from_breadcrumbs(name) for name in ("Clothing > Shirts", "Home", "Secret > Cellar"))
    hidden = get_model("catalogue", "Category").objects.get(name="Secret")
    hidden.is_public = False
    hidden.save()
    garment = get_model("catalogue", "ProductClass").objects.create(name="Garment", track_stock=True)
    thing = get_model("catalogue", "ProductClass").objects.create(name="Thing", track_stock=False)
    for code in ("colour", "size"):
        get_model("catalogue", "ProductAttribute").objects.create(
            product_class=garment, name=code.title(), code=code, type="text"
        )
    tee = Product.objects.create(
        structure="parent", title="Tee", description="<p>A cotton tee.</p>", product_class=garment
    )
    tee.categories.add(shirts)
    for sku, colour, size, prices in (
        ("TEE-S", "Black", "S", {"EUR": "10.00", "USD": "12.00"}),
        ("TEE-M", "White", "M", {"EUR": "10.99"}),
    ):
        child = Product.objects.create(structure="child", parent=tee, title=sku.replace("-", " "))
        child.attr.colour, child.attr.size = colour, size
        child.attr.save()
        stock(child, sku, prices, 100)
    for sku, price in (("MUG", "8.00"), ("VASE", "20.00"), ("LAMP", "30.00")):
        product = Product.objects.create(structure="standalone", title=sku.title(), product_class=thing)
        product.categories.add(home, cellar)
        stock(product, sku, {"EUR": price}, None)


def stock(product: Any, sku: str, prices: dict[str, str], units: int | None) -> None:
    for currency, price in prices.items():
        partner, _ = get_model("partner", "Partner").objects.get_or_create(name=f"Warehouse {currency}")
        StockRecord.objects.create(
            product=product, partner=partner, partner_sku=sku, price=price, price_currency=currency, num_in_stock=units
        )


def make_offers() -> None:
    condition, benefit, offer = (get_model("offer", name) for name in ("Condition", "Benefit", "ConditionalOffer"))
    every = get_model("offer", "Range").objects.create(name="everything", includes_all_products=True)
    coupon = offer.objects.create(
        name="Ten percent",
        offer_type=offer.VOUCHER,
        condition=condition.objects.create(range=every, type="Count", value=1),
        benefit=benefit.objects.create(range=every, type="Percentage", value=10),
    )
    now = timezone.now()
    voucher = Voucher.objects.create(
        name="TEN",
        code="TEN",
        usage="Multi-use",
        start_datetime=now,
        end_datetime=now + timezone.timedelta(days=90),
    )
    voucher.offers.add(coupon)
    tees = get_model("offer", "Range").objects.create(name="tees")
    tees.add_product(Product.objects.get(title="Tee"))
    offer.objects.create(
        name="Tee days",
        offer_type=offer.SITE,
        start_datetime=now + timezone.timedelta(days=60),
        end_datetime=now + timezone.timedelta(days=63),
        condition=condition.objects.create(range=tees, type="Count", value=1),
        benefit=benefit.objects.create(range=tees, type="Percentage", value=50),
    )


def order(user: Any, items: Sequence[tuple[str, int]], email: str = "", code: str = "", currency: str = "EUR") -> Any:
    """What the checkout does: a basket with its offers, and an order made of it."""
    request = request_of(user)
    basket = Basket.objects.create(owner=user)
    basket.strategy = Strategy(request)
    basket.strategy.currency = currency
    for sku, quantity in items:
        basket.add_product(StockRecord.objects.filter(partner_sku=sku).first().product, quantity)
    if code:
        basket.vouchers.add(Voucher.objects.get(code=code))
    get_class("offer.applicator", "Applicator")().apply(basket, request.user, request)
    method = get_class("shipping.methods", "Free")()
    charge = method.calculate(basket)
    placed = get_class("order.utils", "OrderCreator")().place_order(
        basket=basket,
        total=get_class("checkout.calculators", "OrderTotalCalculator")().calculate(basket, charge),
        shipping_method=method,
        shipping_charge=charge,
        user=user,
        guest_email=email,
        order_number=get_class("order.utils", "OrderNumberGenerator")().order_number(basket),
        request=request,
    )
    basket.submit()
    return placed


def send_back(placed: Any, sku: str, quantity: int) -> None:
    kind, _ = get_model("order", "ShippingEventType").objects.get_or_create(**RETURNED)
    handler.handle_shipping_event(placed, kind, [placed.lines.get(partner_sku=sku)], [quantity])


def place() -> None:
    fill_catalogue()
    make_offers()
    anna, bo = (User.objects.create_user(name, f"{name}@example.com", "pw") for name in ("anna", "bo"))
    User.objects.create_user("staff", "staff@example.com", "pw", is_staff=True)
    order(anna, [("TEE-S", 3), ("MUG", 1)])
    order(anna, [("TEE-M", 3), ("MUG", 1)], code="TEN")
    order(bo, [("TEE-S", 2)], currency="USD")
    order(None, [("MUG", 2)], email="Guest@example.com")
    order(None, [("VASE", 1)], email="guest@example.com")
    order(None, [("MUG", 1), ("LAMP", 1)], email="Carl@Example.com")
    handler.handle_order_status_change(order(bo, [("TEE-S", 2)]), "Cancelled")
    send_back(order(bo, [("TEE-S", 2), ("VASE", 1)]), "TEE-S", 1)
    order(anna, [("MUG", 5), ("TEE-M", 2)])  # changes late: see below
    order(bo, [("MUG", 3)])  # as well
    order(bo, [("MUG", 1), ("TEE-S", 1)]).lines.get(partner_sku="MUG").set_status("Cancelled")

    mug, tee = Product.objects.get(title="Mug"), Product.objects.get(title="Tee")
    Review.objects.create(product=mug, user=bo, score=4, title="Nice", body="A nice mug.", status=Review.APPROVED)
    Review.objects.create(product=tee, user=anna, score=2, title="Thin", body="Thin cloth.", status=Review.APPROVED)
    Review.objects.create(product=tee, name="X", email="x@example.com", score=1, title="Bad", body="Spam", status=2)
    viewed = get_class("catalogue.signals", "product_viewed")
    for product in (tee.children.first(), mug):
        viewed.send(sender=None, product=product, user=anna, request=request_of(anna), response=HttpResponse())
    cart = Basket.objects.create(owner=anna)  # never ordered
    cart.strategy = Strategy(request_of(anna))
    cart.add_product(mug, 9)
    Product.objects.filter(title="Lamp").update(is_public=False)
    Product.objects.get(title="Vase").delete()


def later() -> None:
    """Carl makes an account, and two old orders change."""
    carl = User.objects.create_user("carl", "carl@example.com", "pw")
    order(carl, [("MUG", 1)])
    send_back(Order.objects.get(lines__partner_sku="MUG", lines__quantity=5), "MUG", 2)
    handler.handle_order_status_change(Order.objects.get(lines__partner_sku="MUG", lines__quantity=3), "Cancelled")


def totals() -> list[dict[str, Any]]:
    return [
        {
            "id": str(placed.id),
            "currency": placed.currency,
            "net": str(placed.basket_total_excl_tax),
            "lines": placed.num_lines,
            "units": placed.num_items,
            "cancelled": placed.status == "Cancelled",
            "returned": sum(
                line.quantity
                if line.status == "Cancelled"
                else line.shipping_event_breakdown.get("Returned", {}).get("quantity", 0)
                for line in placed.lines.all()
            ),
        }
        for placed in Order.objects.order_by("id")
    ]


if __name__ == "__main__":
    {"place": place, "later": later, "totals": lambda: print(json.dumps(totals()))}[sys.argv[1]]()
