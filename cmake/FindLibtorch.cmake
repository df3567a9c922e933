# Finds libtorch in LIBTORCH_ROOT (a variable or an environment variable), or in the torch package of
# LIBTORCH_PYTHON (default: the project's .venv, then python3). Works with a CPU wheel and with a CUDA wheel on a
# machine without a CUDA toolkit, where find_package(Torch) does not. Gives the target Libtorch::Libtorch,
# Libtorch_VERSION and Libtorch_LIBRARY_DIR.
if(LIBTORCH_ROOT AND NOT EXISTS "${LIBTORCH_ROOT}/include/ATen")
  message(WARNING "LIBTORCH_ROOT=${LIBTORCH_ROOT} holds no include/ATen; looking elsewhere.")
  unset(LIBTORCH_ROOT CACHE)
  unset(LIBTORCH_ROOT)
endif()
if(NOT LIBTORCH_ROOT AND DEFINED ENV{LIBTORCH_ROOT})
  set(LIBTORCH_ROOT "$ENV{LIBTORCH_ROOT}" CACHE PATH "folder of libtorch that holds include/ and lib/" FORCE)
endif()
if(NOT LIBTORCH_ROOT)
  if(NOT LIBTORCH_PYTHON)
    find_program(LIBTORCH_PYTHON NAMES python3 python
      PATHS "${PROJECT_SOURCE_DIR}/.venv/bin" NO_DEFAULT_PATH NO_CACHE)
    find_program(LIBTORCH_PYTHON NAMES python3 python NO_CACHE)
  endif()
  if(LIBTORCH_PYTHON)
    execute_process(
      COMMAND "${LIBTORCH_PYTHON}" -c
        "import importlib.util as u,os;s=u.find_spec('torch');print(os.path.dirname(s.origin) if s and s.origin else '')"
      OUTPUT_VARIABLE _root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    set(LIBTORCH_ROOT "${_root}" CACHE PATH "folder of libtorch that holds include/ and lib/" FORCE)
  endif()
endif()

# Not cached: another LIBTORCH_ROOT must not leave the old one's files behind.
find_path(Libtorch_INCLUDE_DIR ATen/core/Tensor.h PATHS "${LIBTORCH_ROOT}/include" NO_DEFAULT_PATH NO_CACHE)
set(Libtorch_LIBRARY_DIR "${LIBTORCH_ROOT}/lib")
foreach(_l torch_cpu c10 torch_cuda c10_cuda)
  find_library(Libtorch_${_l}_LIBRARY ${_l} PATHS "${Libtorch_LIBRARY_DIR}" NO_DEFAULT_PATH NO_CACHE)
endforeach()

foreach(_header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(NOT Libtorch_VERSION AND EXISTS "${Libtorch_INCLUDE_DIR}/${_header}")
    file(STRINGS "${Libtorch_INCLUDE_DIR}/${_header}" _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
    string(REGEX REPLACE "[^0-9;]" "" _numbers "${_lines}")
    string(REPLACE ";" "." Libtorch_VERSION "${_numbers}")
  endif()
endforeach()

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
  foreach(_l torch_cpu c10)
    add_library(Libtorch::${_l} SHARED IMPORTED)
    set_target_properties(Libtorch::${_l} PROPERTIES IMPORTED_LOCATION "${Libtorch_${_l}_LIBRARY}")
    target_link_libraries(Libtorch::Libtorch INTERFACE Libtorch::${_l})
  endforeach()
  foreach(_l torch_cuda c10_cuda)
    if(Libtorch_${_l}_LIBRARY)
      # Nothing of ours calls into it, so the linker would drop it; it registers the CUDA kernels when it is loaded.
      target_link_libraries(Libtorch::Libtorch INTERFACE
        "-Wl,--push-state,--no-as-needed,${Libtorch_${_l}_LIBRARY},--pop-state")
    endif()
  endforeach()
  target_include_directories(Libtorch::Libtorch SYSTEM INTERFACE "${_inc}" "${_inc}/torch/csrc/api/include")
  target_compile_definitions(Libtorch::Libtorch INTERFACE AT_PER_OPERATOR_HEADERS)
  target_compile_features(Libtorch::Libtorch INTERFACE cxx_std_20)
endif()
