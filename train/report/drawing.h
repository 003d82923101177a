// Drawing a figure with gnuplot, as SVG: once for a file of its own (black on white) and once for a page, whose colours
// it takes and so follows from light to dark.
#pragma once

#include <filesystem>
#include <string>

#include "figure_data.h"

namespace normlab {

struct Drawing {
  std::string file;     // a whole SVG document; empty when nothing could be drawn
  std::string on_page;  // an <svg> element; its colours are the page's --ink, --rule, --grid, --paper, --series-0, …
  std::string trouble;  // why nothing could be drawn, in words for the reader
};

// Draws by the script, which is written to that file first and draws the figure again by `gnuplot FILE`. Series are
// told apart by colour (Okabe & Ito's, which the colour-blind can tell apart), by marks and by dashes.
Drawing draw(const FigureConfig& figure, const FigureData& data, const std::filesystem::path& script);

// The script alone: it writes SVG to standard output.
std::string gnuplot_script(const FigureConfig& figure, const FigureData& data);

}  // namespace normlab
