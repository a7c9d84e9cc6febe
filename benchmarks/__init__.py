"""What shopmill costs beside what people would use instead: `make bench`. See docs/performance.md."""
