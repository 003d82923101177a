// The style sheet of every page.
#pragma once

namespace normlab {

extern const char* const kStyle;

}  // namespace normlab
