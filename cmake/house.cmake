# What every target of the house shares: language, warnings, sanitizers, the precompiled header, and the libraries by name.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# No NDEBUG: assertions stay on in the field.
set(CMAKE_CXX_FLAGS_RELEASE "-O2")

find_program(CCACHE ccache)
if(CCACHE)
  # Without this sloppiness ccache caches nothing that uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(date REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
if(NOT SLOSONDE_SANITIZE)
  pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
endif()
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
# Its -pthread would change the compiler's command line, and the precompiled header would not fit any more.
set_property(TARGET PkgConfig::RE2 PROPERTY INTERFACE_COMPILE_OPTIONS)

# Warnings are errors; the same numbers on every machine (-ffp-contract=off: the simulation repeats bit for bit).
function(house_rules target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Werror -ffp-contract=off)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 takes the frame allocator of Asio's coroutines, once inlined, for a mismatch.
    target_compile_options(${target} PRIVATE -Wno-mismatched-new-delete)
  endif()
  if(SLOSONDE_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${SLOSONDE_SANITIZE} -fno-omit-frame-pointer -g1)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # Instrumented code misleads the warnings that follow values; the other builds hold them.
      target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-maybe-uninitialized -Wno-restrict
        -Wno-stringop-overflow -Wno-stringop-overread)
    endif()
    target_link_options(${target} PRIVATE -fsanitize=${SLOSONDE_SANITIZE})
  endif()
  if(SLOSONDE_SANITIZE MATCHES "thread")
    # Asio's fenced blocks are not understood by ThreadSanitizer.
    target_compile_definitions(${target} PRIVATE BOOST_ASIO_DISABLE_FENCED_BLOCK)
    target_compile_options(${target} PRIVATE -Wno-tsan)
  endif()
  if(SLOSONDE_PCH AND NOT target STREQUAL "slosonde_base")
    target_precompile_headers(${target} REUSE_FROM slosonde_base)
  endif()
endfunction()

# slosonde_library(<folder name> SOURCES ... USES <targets>): one folder, one static library, one target.
function(slosonde_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_library(slosonde_${name} STATIC ${ARG_SOURCES})
  target_include_directories(slosonde_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(slosonde_${name} PUBLIC ${ARG_USES})
  house_rules(slosonde_${name})
endfunction()

# slosonde_test(<name> SOURCES ... READERS ... USES <targets>): one GoogleTest program, one ctest entry. READERS are sources
# that read files of the tree; only they are told its path, so that a second clone finds the others in the compiler's cache.
function(slosonde_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;READERS;USES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES} ${ARG_READERS})
  set_source_files_properties(${ARG_READERS} PROPERTIES COMPILE_DEFINITIONS SLOSONDE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_USES} GTest::gmock_main)
  house_rules(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
