# luatrail_embed(FILE NAME OUT): makes a .cpp that defines `extern const std::string_view luatrail::embedded::NAME` with the file's bytes,
# and sets OUT to its path. The file is re-read whenever it changes.
function(luatrail_embed file name out)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.cpp")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(READ "${CMAKE_CURRENT_SOURCE_DIR}/${file}" bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," list "${bytes}")
  file(CONFIGURE OUTPUT "${source}" CONTENT
"#include <string_view>
namespace luatrail::embedded {
namespace { constexpr char bytes[] = {@list@'\\0'}; }
extern const std::string_view @name@;
const std::string_view @name@{bytes, sizeof bytes - 1};
} // namespace luatrail::embedded
" @ONLY)
  set(${out} "${source}" PARENT_SCOPE)
endfunction()
