// Escaping, numbers and the frame of a page.
#include "html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "style.h"

namespace normlab {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= ' ' || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return value > 0 ? "infinite" : "-infinite";
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size < 1e-4 || size >= 1e7) return fmt::format("{:.3g}", value);
  const int decimals = std::clamp(3 - static_cast<int>(std::floor(std::log10(size))), 0, 7);
  std::string digits = fmt::format("{:.{}f}", value, decimals);
  if (digits.find('.') == std::string::npos) return digits;
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

std::string interval_text(double low, double high) {
  if (std::isnan(low) || std::isnan(high) || (std::isinf(low) && std::isinf(high))) return "";
  return number_text(low) + " to " + number_text(high);
}

std::string in_words(std::string name) {
  if (name.rfind("valid_", 0) == 0) name = "validation_" + name.substr(6);
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string time_text(double seconds) {
  if (seconds < 120) return fmt::format("{:.{}f} s", seconds, seconds < 10 ? 1 : 0);
  const auto minutes = static_cast<long>(std::lround(seconds / 60));
  if (minutes < 120) return fmt::format("{} min", minutes);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string page(const std::string& title, const std::string& body, const std::string& script) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += "<title>" + escaped(title) + "</title>\n<style>\n" + kStyle + "</style>\n</head>\n<body>\n" + body;
  if (!script.empty()) out += "<script>\n" + script + "</script>\n";
  return out + "</body>\n</html>\n";
}

}  // namespace normlab
