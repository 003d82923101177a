// The main function of the test programs: Catch2's own. Version 3 brings it as a library, version 2 as a macro.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
