// Figures: curves over steps, drawn as SVG by gnuplot where it is found, with the CSV behind them always.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace normlab {

struct Curve {
  std::string label;
  std::map<std::int64_t, std::vector<double>> points;  // step -> a value for each seed
};

struct FigureText {
  std::string title, x, y;
};

// Writes <path>.csv (label, step, seeds, mean, low, high: the range over seeds) and, with gnuplot, <path>.svg: a line
// for each curve and a band from the lowest to the highest seed. Colours can be told apart by the colour-blind (Okabe &
// Ito). Returns whether the picture could be drawn.
bool draw_curves(const std::vector<Curve>& curves, const std::filesystem::path& path, const FigureText& words);

}  // namespace normlab
