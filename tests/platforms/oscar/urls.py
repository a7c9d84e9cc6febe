"""No pages: the shop is used through Oscar's own Python interface."""

urlpatterns: list[object] = []
