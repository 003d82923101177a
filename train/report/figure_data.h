// What a figure shows, gathered from the runs: a pure function of its config and of what the runs have written so far.
#pragma once

#include <string>
#include <vector>

#include "../experiment/observations.h"
#include "figure_config.h"

namespace normlab {

// All values at one place of the x axis.
struct FigurePoint {
  double x = 0;                // a number, or the place in FigureData::names
  std::vector<double> values;  // finite; one for each seed, of boxes any number; at least one
};

struct FigureSeries {
  std::string label;
  std::vector<FigurePoint> points;  // by rising x
  int like = -1;                    // of a paper's values: the series whose colour they take, -1 for none
};

struct FigureData {
  std::vector<std::string> names;  // of the places 0, 1, 2, … where x is a name; empty where it is a number
  std::vector<FigureSeries> series;
  std::vector<FigureSeries> paper;  // one value at each point
  std::string note;  // what a reader must know, such as values that were left out; or why there is nothing
};

FigureData gather(const FigureConfig& figure, const std::vector<Axis>& axes, const std::vector<ObservedRun>& runs);

// The mean over seeds (geometric on a logarithmic axis) with what is drawn around it: for curves the lowest and the
// highest, for bars and points the 95 % interval of the mean (the mean itself where there are fewer than two seeds).
struct Summary {
  double mean, low, high;
};
Summary summarize(const FigureConfig& figure, const FigurePoint& point);

// Of a box: quartiles (linear between the values), the outermost values within 1.5 times their distance of them, and
// what lies beyond.
struct Box {
  double low, quartile_1, median, quartile_3, high;
  std::vector<double> outliers;
};
Box box_of(std::vector<double> values);

// The CSV behind a figure, one line a point; the papers' values come last.
std::string figure_csv(const FigureConfig& figure, const FigureData& data);

}  // namespace normlab
