# Finds libtorch in LIBTORCH_ROOT, or in the torch package of LIBTORCH_PYTHON (default: the project's .venv,
# then python3). Works with a CPU wheel and with a CUDA wheel on a machine without a CUDA toolkit, where
# find_package(Torch) does not. Gives the target Libtorch::Libtorch and Libtorch_VERSION.
if(NOT LIBTORCH_ROOT)
  if(NOT LIBTORCH_PYTHON)
    find_program(LIBTORCH_PYTHON NAMES python3 python
      PATHS "${PROJECT_SOURCE_DIR}/.venv/bin" NO_DEFAULT_PATH)
    find_program(LIBTORCH_PYTHON NAMES python3 python)
  endif()
  if(LIBTORCH_PYTHON)
    execute_process(
      COMMAND "${LIBTORCH_PYTHON}" -c
        "import importlib.util as u,os;s=u.find_spec('torch');print(os.path.dirname(s.origin) if s and s.origin else '')"
      OUTPUT_VARIABLE _root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    set(LIBTORCH_ROOT "${_root}" CACHE PATH "folder of libtorch that holds include/ and lib/" FORCE)
  endif()
endif()

find_path(Libtorch_INCLUDE_DIR ATen/core/Tensor.h PATHS "${LIBTORCH_ROOT}/include" NO_DEFAULT_PATH)
set(_libraries torch_cpu c10)
if(EXISTS "${LIBTORCH_ROOT}/lib/libtorch_cuda.so")
  list(APPEND _libraries torch_cuda c10_cuda)
endif()
foreach(_l ${_libraries})
  find_library(Libtorch_${_l}_LIBRARY ${_l} PATHS "${LIBTORCH_ROOT}/lib" NO_DEFAULT_PATH)
endforeach()

set(_version_header "${Libtorch_INCLUDE_DIR}/torch/headeronly/version.h")
if(EXISTS "${_version_header}")
  file(STRINGS "${_version_header}" _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]" "" _numbers "${_lines}")
  string(REPLACE ";" "." Libtorch_VERSION "${_numbers}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch
  REQUIRED_VARS Libtorch_torch_cpu_LIBRARY Libtorch_c10_LIBRARY Libtorch_INCLUDE_DIR
  VERSION_VAR Libtorch_VERSION
  REASON_FAILURE_MESSAGE
  "Run scripts/setup, or pass -DLIBTORCH_ROOT=/path/to/libtorch (the folder that holds include/ and lib/).")

if(Libtorch_FOUND AND NOT TARGET Libtorch::Libtorch)
  # The wheel ships its own fmt, protobuf and pybind11 beside ATen; only these three folders are exposed.
  set(_inc "${CMAKE_BINARY_DIR}/libtorch-include")
  file(MAKE_DIRECTORY "${_inc}")
  foreach(_d ATen c10 torch)
    file(CREATE_LINK "${Libtorch_INCLUDE_DIR}/${_d}" "${_inc}/${_d}" SYMBOLIC)
  endforeach()
  add_library(Libtorch::Libtorch INTERFACE IMPORTED)
  foreach(_l ${_libraries})
    add_library(Libtorch::${_l} SHARED IMPORTED)
    set_target_properties(Libtorch::${_l} PROPERTIES IMPORTED_LOCATION "${Libtorch_${_l}_LIBRARY}")
    if(_l MATCHES "cuda")
      # Nothing of ours calls into it: it registers the CUDA kernels when it is loaded.
      target_link_libraries(Libtorch::Libtorch INTERFACE -Wl,--no-as-needed Libtorch::${_l} -Wl,--as-needed)
    else()
      target_link_libraries(Libtorch::Libtorch INTERFACE Libtorch::${_l})
    endif()
  endforeach()
  target_include_directories(Libtorch::Libtorch SYSTEM INTERFACE "${_inc}" "${_inc}/torch/csrc/api/include")
  target_compile_definitions(Libtorch::Libtorch INTERFACE AT_PER_OPERATOR_HEADERS)
  target_compile_features(Libtorch::Libtorch INTERFACE cxx_std_20)
endif()
