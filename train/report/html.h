// Pages in HTML: text made safe, numbers in words, and the one style that all pages share. A page is a single file that
// asks nothing of the network.
#pragma once

#include <string>

namespace normlab {

// Text as it stands in an element or in a quoted attribute: & < > " ' written as entities, other control characters
// than newline and tab left out, so that nothing a config holds can become markup.
std::string escaped(const std::string& text);

// A number in four digits: "0.01234", "12.34", "12340", "1.23e-7"; "infinite" and "-" (not a number) in words.
std::string number_text(double value);
// "1.62 to 1.706"; empty where nothing is known of either end.
std::string interval_text(double low, double high);
// A name of the program's in words: "valid_perplexity" is "validation perplexity".
std::string in_words(std::string name);
// "3 h 20 min", "12 min", "8.2 s"
std::string time_text(double seconds);

// A whole page. `title` is plain text; `body` and `script` (which may be empty) are written as they are.
std::string page(const std::string& title, const std::string& body, const std::string& script = "");

}  // namespace normlab
