// FigureConfig: a figure of the report, as a config states it. What it shows is gathered from the runs by
// figure_data.h.
//
//   "figures": [{
//     "name": "figure3b", "title": "Gradient of the second FFN matrix", "source": "Xiong et al. 2020, figure 3 (b)",
//     "kind": "bars", "quantity": "expected_gradient_norm", "sites": "decoder.*.outer.weight", "x": "site",
//     "x_label": "layer", "y_label": "norm of the expected gradient",
//     "paper": [{"label": "Post-LN (paper)", "x": [1, 2, 3, 4, 5, 6], "y": [0.12, 0.20, 0.36, 0.58, 1.09, 1.66]}]
//   }]
#pragma once

#include <string>
#include <vector>

#include "../../engine/fields.h"
#include "../experiment/sweep_config.h"

namespace normlab {

// The values of a paper, marked in the figure. Those whose label begins with that of a series take its colour.
struct PaperValues {
  std::string label;
  std::vector<double> x;           // where x is a number: a step, a layer counted from 1, an arm's value
  std::vector<std::string> names;  // in place of x, where it is a name: an arm's or a site's
  std::vector<double> y;

  void fields(Fields& f);
};

struct FigureConfig {
  std::string name;  // of its files
  std::string title, source;
  std::string kind = "curves";
  std::string quantity;
  std::string sites = "*";
  std::string x = "step";
  std::string at = "last";
  std::string x_label, y_label;
  bool log_x = false, log_y = false;
  std::vector<std::string> arms;
  std::vector<PaperValues> paper;

  void fields(Fields& f);
};

// The figure of an experiment that asks for none: the validation loss over the steps.
FigureConfig validation_figure();

// What is wrong with the figure for a sweep of these axes; empty when nothing is.
std::string complaint(const FigureConfig& figure, const std::vector<Axis>& axes);

}  // namespace normlab
