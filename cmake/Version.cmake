# perennial::version: what `perennial --version` says. Its one source is written at build time, from git when the
# sources are a clone, and only when it changed; a library of its own, so that a commit relinks the binary alone.
find_package(Git QUIET)
set(_version_source "${PROJECT_BINARY_DIR}/generated/version.cpp")
add_custom_target(perennial_version_source BYPRODUCTS "${_version_source}"
  COMMAND "${CMAKE_COMMAND}" "-DOUT=${_version_source}" "-DIN=${PROJECT_SOURCE_DIR}/perennial/base/version.cpp.in"
    "-DSOURCE_DIR=${PROJECT_SOURCE_DIR}" "-DGIT=${GIT_EXECUTABLE}" "-DVERSION=${PROJECT_VERSION}"
    "-DLIBTORCH_VERSION=${Libtorch_VERSION}" -P "${PROJECT_SOURCE_DIR}/cmake/WriteVersion.cmake"
  COMMENT "" VERBATIM)
add_library(perennial_version STATIC "${_version_source}")
add_library(perennial::version ALIAS perennial_version)
add_dependencies(perennial_version perennial_version_source)
set_target_properties(perennial_version PROPERTIES EXPORT_NAME version POSITION_INDEPENDENT_CODE ON)
target_include_directories(perennial_version PUBLIC
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>" "$<INSTALL_INTERFACE:include>")
target_compile_features(perennial_version PUBLIC cxx_std_20)
set_property(GLOBAL APPEND PROPERTY PERENNIAL_ROOMS version)
