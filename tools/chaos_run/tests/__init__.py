"""Tests of ``tools/chaos`` itself: it must see what it is there to see."""
