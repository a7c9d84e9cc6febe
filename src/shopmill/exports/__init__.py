"""What is made of the declarations and versions for other tools and for people."""
