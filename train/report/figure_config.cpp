// The fields of a figure.
#include "figure_config.h"

#include <algorithm>
#include <cctype>

#include "../../engine/error.h"
#include "../experiment/names.h"

namespace normlab {
namespace {

bool fit_for_a_file(const std::string& name) {
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
}

bool is_number(const std::string& word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c); });
}

}  // namespace

void PaperValues::fields(Fields& f) {
  f.string("label", label, "in the figure's key; values whose label begins with that of a series take its colour");
  f.required("label");
  f.reals("x", x, {}, "where they stand: steps, layers counted from 1, or the values of an axis");
  f.strings("names", names, "in place of x: names of arms or of sites");
  f.reals("y", y, {}, "the values");
  f.required("y");
  f.require(names.empty() ? x.size() == y.size() : x.empty() && names.size() == y.size(), "y",
            text("must have one value for each of x or for each of names, got ", x.size(), " x, ", names.size(),
                 " names and ", y.size(), " y"));
}

void FigureConfig::fields(Fields& f) {
  f.string("name", name, "of its files: letters, digits, _ - and .");
  f.required("name");
  f.require(fit_for_a_file(name), "name", text("must be made of letters, digits, _ - and ., got \"", name, "\""));
  f.string("title", title, "what it shows");
  f.string("source", source, "the paper's figure that it is drawn like");
  f.choice("kind", kind, {"curves", "bars", "points", "boxes"},
           "curves: the mean over seeds, a band from the lowest to the highest; bars: the mean with its 95 % interval, "
           "from 0 on; points: the same with the value of each seed, on an axis that need not begin at 0; "
           "boxes: quartiles of all values, whiskers to 1.5 times their distance");
  f.string("quantity", quantity, "which observations");
  f.required("quantity");
  f.string("sites", sites,
           "pattern of the sites; * stands for any characters. Several make a series each, unless x is site");
  f.string("x", x,
           "step (boxes: a fifth of the run each), site (by the number of its layer, counted from 1, where that tells "
           "them apart), or an axis of the sweep by its path, its last name or its number from 0");
  f.require((kind != "bars" && kind != "points") || x != "step", "x",
            text("must be site or an axis where the kind is ", kind));
  f.string("at", at,
           "where x is not the step, which step's value of a run: last, first, or a number; boxes take all steps");
  f.require(at == "last" || at == "first" || is_number(at), "at",
            text("must be last, first or a step, got \"", at, "\""));
  f.string("x_label", x_label, "below the axis; by default what x is");
  f.string("y_label", y_label, "beside the axis; by default the quantity");
  f.boolean("log_x", log_x, "a logarithmic axis");
  f.boolean("log_y", log_y, "a logarithmic axis, on which means are geometric");
  f.strings("arms", arms, "which arms of the sweep take part; of an axis with none named here all do");
  objects(f, "paper", paper, "the paper's own values, marked beside ours");
}

FigureConfig validation_figure() {
  FigureConfig figure;
  figure.name = "validation";
  figure.title = "Validation loss over training";
  figure.quantity = "valid_nll";
  figure.y_label = "validation loss (nats per token)";
  return figure;
}

std::string complaint(const FigureConfig& figure, const std::vector<Axis>& axes) {
  const std::string arms = trouble_with_arms(figure.arms, axes);
  if (!arms.empty() || figure.x == "step" || figure.x == "site") return arms;
  const std::string axis = trouble_with_axis(figure.x, axes);
  return axis.empty() ? "" : text("x must be step, site or an axis of the sweep: ", axis);
}

}  // namespace normlab
