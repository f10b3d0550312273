// A look at programs in a host's image: its root, mounted or copied.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "inventory/root.hpp"

namespace luatrail::cli {

class ImageLook {
  public:
    // Throws base::Error when there is no such directory.
    explicit ImageLook(const std::string& root) : root_(root) {}

    // What of Lua the file of that path has inside ("Lua 5.4.4", "Lua's virtual machine"). Nothing: none, no such file,
    // or no program. It may have changed since the log was written. No link leads out of the image. Remembers answers.
    std::optional<std::string> lua_in(const std::string& path);

  private:
    inventory::Root root_;
    std::map<std::string, std::optional<std::string>> known_;
};

} // namespace luatrail::cli
