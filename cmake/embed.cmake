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

# luatrail_embed_rules(DIRECTORY OUT): the same for every *.rules of a directory, in the order of their names, as luatrail::rules::shipped_files().
function(luatrail_embed_rules directory out)
  file(GLOB files CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}/${directory}" ${directory}/*.rules)
  set(entries "")
  set(declarations "")
  set(sources "")
  foreach(file ${files})
    string(MAKE_C_IDENTIFIER "rules_${file}" name)
    luatrail_embed(${directory}/${file} ${name} source)
    list(APPEND sources "${source}")
    string(APPEND declarations "extern const std::string_view ${name};\n")
    string(APPEND entries "        {\"${file}\", embedded::${name}},\n")
  endforeach()
  set(index "${CMAKE_CURRENT_BINARY_DIR}/embedded/shipped_rules.cpp")
  file(CONFIGURE OUTPUT "${index}" CONTENT
"#include \"luatrail/rules/host_rules.hpp\"
namespace luatrail::embedded {
@declarations@} // namespace luatrail::embedded
namespace luatrail::rules {
const std::vector<ShippedFile>& shipped_files() {
    static const std::vector<ShippedFile> files{
@entries@    };
    return files;
}
} // namespace luatrail::rules
" @ONLY)
  set(${out} ${sources} "${index}" PARENT_SCOPE)
endfunction()
