"""The store and the versions in it: written once, found, loaded, thinned out."""
