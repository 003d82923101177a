// The machine's arithmetic peak, to measure a training step against.
#pragma once

namespace normlab {

// Floating-point operations per second of f32 multiply-adds (two operations each) that never leave the registers, on
// all threads. The best of so many runs of about 5 ms: what the machine can do, not what it did while someone else used
// it.
double measure_peak(int runs = 5);

}  // namespace normlab
