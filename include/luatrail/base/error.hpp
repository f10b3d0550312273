// The one exception of start-up: wrong usage, configuration, baseline, profile or input.
#pragma once

#include <stdexcept>
#include <string>

namespace luatrail::base {

// `what()` is one line: "file:line:column: key: reason; remedy". Caught once, in main; exit status 2.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

} // namespace luatrail::base
