"""The consumers: a module each, named as `shopmill export --to` names it."""
