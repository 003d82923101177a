// Names: see names.h.
#include "names.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "../../engine/error.h"
#include "../problems.h"

namespace normlab {
namespace {

// The path of an axis of values: {"model.layers": [2, 4]}; empty for one of named arms.
std::string path_of(const Axis& axis) {
  const Arm& arm = axis.front();
  if (arm.settings.size() != 1) return "";
  const std::string& path = arm.settings.front().path;
  const std::string last = path.substr(path.rfind('.') + 1);
  return arm.name.rfind(last + "=", 0) == 0 ? path : "";
}

// The numbers of the axes that the name may mean.
std::vector<std::size_t> meant_by(const std::string& name, const std::vector<Axis>& axes) {
  std::vector<std::size_t> meant;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (name == text(i) || name == name_of_axis(axes, i) || name == path_of(axes[i])) meant.push_back(i);
  }
  return meant;
}

}  // namespace

std::vector<std::string> arms_of(const Axis& axis, const std::vector<std::string>& asked) {
  std::vector<std::string> all, found;
  for (const Arm& arm : axis) {
    all.push_back(arm.name);
    if (std::find(asked.begin(), asked.end(), arm.name) != asked.end()) found.push_back(arm.name);
  }
  return found.empty() ? all : found;
}

std::string trouble_with_arms(const std::vector<std::string>& arms, const std::vector<Axis>& axes) {
  std::vector<std::string> known;
  for (const Axis& axis : axes) {
    for (const std::string& name : arms_of(axis)) known.push_back(name);
  }
  for (const std::string& arm : arms) {
    const auto count = std::count(known.begin(), known.end(), arm);
    if (known.empty()) return text("the experiment has no arms, got \"", arm, "\"");
    if (count == 0) return text("no arm is named \"", arm, "\"", suggestion(arm, known));
    if (count > 1) return text("\"", arm, "\" is an arm of two axes; give one of them another name");
  }
  return "";
}

double number_in(const std::string& arm) {
  std::size_t begin = arm.rfind('=') + 1;  // 0 when there is none
  if (begin == 0) {
    begin = std::min(arm.find_first_of("0123456789"), arm.size());
    if (begin > 0 && arm[begin - 1] == '.') --begin;
  }
  char* end = nullptr;
  const double value = std::strtod(arm.c_str() + begin, &end);
  return end == arm.c_str() + begin ? std::nan("") : value;
}

int axis_named(const std::string& name, const std::vector<Axis>& axes) {
  const std::vector<std::size_t> meant = meant_by(name, axes);
  return meant.empty() ? -1 : static_cast<int>(meant.front());
}

std::string name_of_axis(const std::vector<Axis>& axes, std::size_t number) {
  const std::string path = path_of(axes[number]);
  return path.empty() ? text(number) : path.substr(path.rfind('.') + 1);
}

std::string trouble_with_axis(const std::string& name, const std::vector<Axis>& axes) {
  const std::vector<std::size_t> meant = meant_by(name, axes);
  if (meant.size() == 1) return "";
  std::vector<std::string> names;
  if (!meant.empty()) {
    for (const std::size_t i : meant) names.push_back(path_of(axes[i]).empty() ? text(i) : path_of(axes[i]));
    return text("\"", name, "\" may be any of the axes ", listed(names), ": say which");
  }
  for (std::size_t i = 0; i < axes.size(); ++i) names.push_back(name_of_axis(axes, i));
  return names.empty() ? text("the experiment has no axes, got \"", name, "\"")
                       : text("no axis is named \"", name, "\"", suggestion(name, names));
}

int layer_of(const std::string& site) {
  for (std::size_t begin = 0; begin <= site.size();) {
    const std::size_t end = std::min(site.find('.', begin), site.size());
    const std::string part = site.substr(begin, end - begin);
    if (!part.empty() && part.find_first_not_of("0123456789") == std::string::npos) return std::atoi(part.c_str()) + 1;
    begin = end + 1;
  }
  return 0;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const std::string near = closest(word, known);
  return text(near.empty() ? "" : text("; did you mean \"", near, "\"?"),
              near.empty() ? "; known here: " : " known here: ", listed(known));
}

}  // namespace normlab
