# What is built needs packages of Debian 12 and Ubuntu 24.04, which apps/install_dependencies.sh installs.
macro(topograd_need)
  find_package(${ARGV} REQUIRED)
endmacro()
macro(topograd_lacks what)
  message(FATAL_ERROR "${what}: apps/install_dependencies.sh installs what is missing")
endmacro()
include(LibraryDependencies)

find_package(cxxopts CONFIG REQUIRED)                            # libcxxopts-dev
find_package(nlohmann_json CONFIG REQUIRED)                      # nlohmann-json3-dev
find_package(Eigen3 CONFIG REQUIRED)                             # libeigen3-dev: small dense eigenproblems
if(TOPOGRAD_TESTS)
  find_package(doctest CONFIG REQUIRED)                          # doctest-dev
endif()
find_path(STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb REQUIRED)  # libstb-dev
# Headers of oneDNN's major versions differ; see kernels/CMakeLists.txt.
file(STRINGS ${DNNL_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h dnnl_version_line REGEX "define DNNL_VERSION_MAJOR")
string(REGEX MATCH "[0-9]+" DNNL_VERSION_MAJOR "${dnnl_version_line}")

# MPI, found or left out: with it, landscape runs as several processes. Of the C interface alone.
if(TOPOGRAD_MPI)
  find_package(MPI COMPONENTS C)  # libopenmpi-dev
endif()

# Python and pybind11, found or left out: the package topograd. An interpreter without sanitizers loads no module with.
if(TOPOGRAD_SANITIZED)
  set(TOPOGRAD_PYTHON OFF)
endif()
if(TOPOGRAD_PYTHON)
  if(NOT DEFINED Python_EXECUTABLE AND EXISTS /usr/bin/python3)
    set(Python_EXECUTABLE /usr/bin/python3)  # the system's, whose packages the others are, not what comes first in PATH
  endif()
  find_package(Python 3.8 COMPONENTS Interpreter Development.Module)  # python3-dev
  find_package(pybind11 2.9 CONFIG QUIET)                             # pybind11-dev
  if(NOT Python_Development.Module_FOUND OR NOT pybind11_FOUND)
    set(TOPOGRAD_PYTHON OFF)
  endif()
endif()

# The CUDA toolkit, cuBLAS and cuDNN 9: found or left out. Without the toolkit there is no device
# cuda; the kernels still run, emulated, as device simt. Of cuBLAS and cuDNN only the headers are
# needed here: the libraries are loaded when they are first used.
set(TOPOGRAD_CUBLAS OFF)
set(TOPOGRAD_CUDNN OFF)
add_library(topograd_cuda_libraries INTERFACE)
if(TOPOGRAD_CUDA)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    target_link_libraries(topograd_cuda_libraries INTERFACE CUDA::cudart_static ${CMAKE_DL_LIBS})
    find_path(CUBLAS_INCLUDE_DIR cublas_v2.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
    find_path(CUDNN_INCLUDE_DIR cudnn_graph.h HINTS ${CUDAToolkit_INCLUDE_DIRS})  # a header new in 9
  else()
    set(TOPOGRAD_CUDA OFF)
  endif()
  if(CUBLAS_INCLUDE_DIR)
    set(TOPOGRAD_CUBLAS ON)
    target_include_directories(topograd_cuda_libraries SYSTEM INTERFACE ${CUBLAS_INCLUDE_DIR})
  endif()
  if(CUDNN_INCLUDE_DIR)
    set(TOPOGRAD_CUDNN ON)
    target_include_directories(topograd_cuda_libraries SYSTEM INTERFACE ${CUDNN_INCLUDE_DIR})
  endif()
endif()
