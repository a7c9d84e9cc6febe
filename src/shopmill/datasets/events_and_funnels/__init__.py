"""events_and_funnels: visits to the shop, how far they got, and what each customer did of late."""
