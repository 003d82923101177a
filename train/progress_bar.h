// ProgressBar: a line that renews itself on a terminal, plain lines now and then elsewhere. Written to standard error,
// so that standard output holds results only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace normlab {

// The line itself.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);  // `quiet` prints nothing at all
  ~ProgressLine() { clear(); }

  bool terminal() const { return terminal_; }
  // On a terminal the text renews the line and is cut to its width; elsewhere it is a line of its own.
  void renew(const std::string& text);
  // A line of its own, above the renewing one.
  void line(const std::string& text);
  // Takes the renewing line away.
  void clear();

 private:
  bool quiet_, terminal_;
  bool shown_ = false;
};

// The progress of one run.
class ProgressBar {
 public:
  // `unit` is what is counted ("tokens"); `quiet` prints nothing at all.
  ProgressBar(std::string title, std::int64_t steps, std::string unit, bool quiet = false);

  // `step` steps of all are done, the first `done_before` of them by an earlier run; `units` were processed in this
  // one.
  void update(std::int64_t step, std::int64_t done_before, double units, const std::string& note);

 private:
  std::string title_, unit_;
  std::int64_t steps_;
  bool quiet_;
  ProgressLine line_;
  std::chrono::steady_clock::time_point start_, last_;
};

// A share of 1 as a bar, "[=====>              ]".
std::string bar_text(double share);
// 75 -> "1 min 15 s"; 0.25 -> "0.3 s".
std::string duration_text(double seconds);
// 12345 -> "12.3k".
std::string short_number(double value);

}  // namespace normlab
