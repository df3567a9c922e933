# perennial_room(NAME SOURCES ... PUBLIC headers ... [DEPENDS lower rooms or libraries ...])
# A room is a static library perennial_NAME with the alias perennial::NAME. Its public headers are those that are
# installed; they include no others (a test of the floors).
function(perennial_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;PUBLIC;DEPENDS" ${ARGN})
  add_library(perennial_${name} STATIC ${ROOM_SOURCES})
  add_library(perennial::${name} ALIAS perennial_${name})
  set_target_properties(perennial_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(perennial_${name} PUBLIC
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>" "$<INSTALL_INTERFACE:include>")
  target_compile_features(perennial_${name} PUBLIC cxx_std_20)
  target_link_libraries(perennial_${name} PUBLIC ${ROOM_DEPENDS} PRIVATE $<BUILD_INTERFACE:perennial_flags>)
  target_sources(perennial_${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${ROOM_PUBLIC})
  set_property(GLOBAL APPEND PROPERTY PERENNIAL_ROOMS ${name})
endfunction()

# perennial_test(NAME SOURCES ... DEPENDS ...): one GoogleTest program, every test of it known to ctest under the
# label of its folder. OpenMP threads wait asleep: spinning ones starve each other when tests run side by side.
function(perennial_test name)
  cmake_parse_arguments(T "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(test_${name} ${T_SOURCES})
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
  target_link_libraries(test_${name} PRIVATE ${T_DEPENDS} GTest::gtest GTest::gmock_main perennial_flags)
  get_filename_component(room "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 120
    PROPERTIES TIMEOUT 600 LABELS ${room} ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()

# perennial_fuzzer(NAME SOURCE DEPENDS): a libFuzzer program, built by clang with -DPERENNIAL_FUZZERS=ON;
# the target fuzzers builds them all.
function(perennial_fuzzer name source)
  add_executable(fuzz_${name} ${source})
  target_link_libraries(fuzz_${name} PRIVATE ${ARGN} perennial_flags)
  target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers fuzz_${name})
endfunction()
