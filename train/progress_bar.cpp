// ProgressBar on standard error.
#include "progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace normlab {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point a, Clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

}  // namespace

std::string bar_text(double share) {
  constexpr int kWidth = 20;
  const int full = static_cast<int>(share * kWidth);
  std::string text = "[";
  for (int i = 0; i < kWidth; ++i) text += i < full ? '=' : (i == full ? '>' : ' ');
  return text + "]";
}

std::string duration_text(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string short_number(double value) {
  if (value >= 1e9) return fmt::format("{:.1f}G", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.1f}M", value / 1e6);
  if (value >= 1e3) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

ProgressLine::ProgressLine(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::renew(const std::string& text) {
  if (!terminal_) return line(text);
  if (quiet_) return;
  fmt::print(stderr, "\r\x1b[K{}", text.substr(0, terminal_width() - 1));
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::line(const std::string& text) {
  if (quiet_) return;
  clear();
  fmt::print(stderr, "{}\n", text);
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  shown_ = false;
}

ProgressBar::ProgressBar(std::string title, std::int64_t steps, std::string unit, bool quiet)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      steps_(steps),
      quiet_(quiet),
      line_(quiet),
      start_(Clock::now()),
      last_(start_) {}

void ProgressBar::update(std::int64_t step, std::int64_t done_before, double units, const std::string& note) {
  if (quiet_) return;
  const auto now = Clock::now();
  // On a terminal five times a second; in a file every ten seconds.
  if (step < steps_ && seconds_between(last_, now) < (line_.terminal() ? 0.2 : 10)) return;
  if (step == steps_ && !line_.terminal()) return;
  last_ = now;
  const double elapsed = std::max(1e-9, seconds_between(start_, now));
  const double left =
      elapsed / static_cast<double>(std::max<std::int64_t>(1, step - done_before)) * static_cast<double>(steps_ - step);
  const double share = static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, steps_));
  line_.renew(fmt::format("{} {}{}/{}  {}  {} {}/s  {} left", title_, line_.terminal() ? bar_text(share) + " " : "",
                          step, steps_, note, short_number(units / elapsed), unit_, duration_text(left)));
}

}  // namespace normlab
