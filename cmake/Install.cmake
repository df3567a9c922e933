# `cmake --install BUILD --prefix P`: P/bin/perennial (apps/), P/lib/libperennial_*.a, P/include/perennial and the CMake
# package P/lib/cmake/Perennial. What is linked lies where it lay at build time; the binary also looks in P/lib.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(CMAKE_INSTALL_LIBDIR lib)
set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib" "${Libtorch_LIBRARY_DIR}")

function(perennial_install)
  get_property(rooms GLOBAL PROPERTY PERENNIAL_ROOMS)
  # The one library to link: all rooms.
  add_library(perennial_all INTERFACE)
  add_library(perennial::perennial ALIAS perennial_all)
  set_target_properties(perennial_all PROPERTIES EXPORT_NAME perennial)
  list(TRANSFORM rooms PREPEND perennial_)
  target_link_libraries(perennial_all INTERFACE ${rooms})
  install(TARGETS perennial_all ${rooms} perennial_edge_static perennial_edge_shared perennial_edge_compile EXPORT perennial
    ARCHIVE DESTINATION lib LIBRARY DESTINATION lib FILE_SET HEADERS DESTINATION include)

  set(package lib/cmake/Perennial)
  install(EXPORT perennial NAMESPACE perennial:: FILE PerennialTargets.cmake DESTINATION ${package})
  install(FILES "${PROJECT_SOURCE_DIR}/edge/perennial_edge.h" "${PROJECT_SOURCE_DIR}/edge/perennial_edge.hpp"
    DESTINATION include/edge)
  install(FILES "${PROJECT_SOURCE_DIR}/edge/perennial_edge.h" DESTINATION include)
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/PerennialConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/PerennialConfig.cmake" INSTALL_DESTINATION ${package} NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/PerennialConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/PerennialConfig.cmake" "${PROJECT_BINARY_DIR}/PerennialConfigVersion.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/FindLibtorch.cmake" DESTINATION ${package})
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICE" "${PROJECT_SOURCE_DIR}/THIRD_PARTY.md"
    DESTINATION share/doc/perennial)
endfunction()
