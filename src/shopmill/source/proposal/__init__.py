"""What `shopmill init` proposes after a look at a database: a mapping and settings, each choice with its reason."""
