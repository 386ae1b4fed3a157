"""What all drivers share that build with Heat: the stack of a bay, its template, its errors."""
