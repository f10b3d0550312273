# How everything here is compiled, whatever preset or command line builds it: included before the first target, and what
# link_libraries() names below applies to all of them.
include(CheckCXXCompilerFlag)
include(CheckPIESupported)

add_library(luatrail_warnings INTERFACE)
target_compile_options(luatrail_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms about std::string: GCC bugs 105329 and 105651.
  target_compile_options(luatrail_warnings INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
endif()
link_libraries(luatrail_warnings)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
  add_compile_options(-fpch-preprocess) # without it ccache takes no part where headers are precompiled
endif()

# The program parses bytes that an attacker chose. What follows makes a fault in it stop the program rather than serve somebody;
# tests/e2e/hardening_test.py reads the result.
add_library(luatrail_hardening INTERFACE)
set(control_flow -fcf-protection=full) # x86
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)")
  set(control_flow -mbranch-protection=standard)
endif()
foreach(flag -fstack-protector-strong -fstack-clash-protection ${control_flow})
  string(MAKE_C_IDENTIFIER "LUATRAIL_HAS${flag}" known)
  check_cxx_compiler_flag(${flag} ${known})
  if(${known})
    target_compile_options(luatrail_hardening INTERFACE ${flag})
  endif()
endforeach()
target_link_options(luatrail_hardening INTERFACE LINKER:-z,relro,-z,now,-z,noexecstack)

# -fPIE and not -fPIC, also for the library: it goes into programs alone, and calls within it need no indirection.
check_pie_supported(LANGUAGES CXX)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_compile_options(luatrail_hardening INTERFACE -fPIE)

# Checked indices in builds whose speed nobody measures. All or none of what is linked together must have them.
set(sanitized OFF)
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  set(sanitized ON)
endif()
target_compile_definitions(luatrail_hardening INTERFACE $<$<OR:$<CONFIG:Debug>,$<BOOL:${sanitized}>>:_GLIBCXX_ASSERTIONS>)
link_libraries(luatrail_hardening)

# Needs optimisation, and hides faults from sanitizers. For what is shipped: tests are compiled without optimisation.
# A C library that does not know level 3 (before 2.34) takes it for 2.
add_library(luatrail_fortify INTERFACE)
if(NOT sanitized AND NOT CMAKE_CXX_FLAGS MATCHES "-O0")
  target_compile_options(luatrail_fortify INTERFACE "$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
endif()

# luatrail_compile_together(TARGET SOURCE...): most of what a file takes to compile is what it includes, so a directory's files are
# compiled some at a time: all of it in less than half the time. CMAKE_UNITY_BUILD=OFF compiles each alone, which is better while
# files are being changed, and what the linter needs.
function(luatrail_compile_together target)
  if(DEFINED CMAKE_UNITY_BUILD AND NOT CMAKE_UNITY_BUILD)
    return()
  endif()
  set(at_a_time 8)
  foreach(source ${ARGN})
    get_filename_component(directory ${source} DIRECTORY)
    get_filename_component(directory ${directory} NAME)
    math(EXPR group "${together_${directory}} + 0")
    math(EXPR together_${directory} "${group} + 1")
    math(EXPR group "${group} / ${at_a_time}")
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${directory}_${group})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU") # it takes a file that is included for a header
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()
