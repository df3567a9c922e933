# Installs BUILD_DIR to a fresh prefix, moves the prefix, builds the small program in consumer/ against it and runs
# that program and the installed binary, without LD_LIBRARY_PATH.
# cmake -DBUILD_DIR= -DCONSUMER_DIR= -DWORK_DIR= -DCXX= -DLAUNCHER= -DLINK_FLAGS= -P install_test.cmake
unset(ENV{LD_LIBRARY_PATH})
unset(ENV{LIBTORCH_ROOT})
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${WORK_DIR}")
run("${CMAKE_COMMAND}" --install "${BUILD_DIR}" --prefix "${WORK_DIR}/first")
file(RENAME "${WORK_DIR}/first" "${WORK_DIR}/prefix")
run("${CMAKE_COMMAND}" -G Ninja -S "${CONSUMER_DIR}" -B "${WORK_DIR}/build" "-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix"
  "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_EXE_LINKER_FLAGS=${LINK_FLAGS}" -DCMAKE_BUILD_TYPE=Release)
run("${CMAKE_COMMAND}" --build "${WORK_DIR}/build")
run("${WORK_DIR}/build/consumer")
message(STATUS "${output}")
if(EXISTS "${BUILD_DIR}/bin/perennial")
  run("${WORK_DIR}/prefix/bin/perennial" --version)
  message(STATUS "${output}")
endif()
