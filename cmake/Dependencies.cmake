# Every dependency is a package of Debian 12 and Ubuntu 24.04; apps/install_dependencies.sh installs them.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)                         # libhdf5-dev
find_package(cxxopts CONFIG REQUIRED)                            # libcxxopts-dev
find_package(nlohmann_json CONFIG REQUIRED)                      # nlohmann-json3-dev
find_package(Eigen3 CONFIG REQUIRED)                             # libeigen3-dev: small dense eigenproblems
find_package(ZLIB REQUIRED)                                      # zlib1g-dev: ZIP archives' checksums
if(TOPOGRAD_TESTS)
  find_package(doctest CONFIG REQUIRED)                          # doctest-dev
endif()
find_path(STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb REQUIRED)  # libstb-dev
pkg_check_modules(cairo REQUIRED IMPORTED_TARGET cairo)          # libcairo2-dev
find_package(GIF REQUIRED)                                       # libgif-dev
# libcpp-httplib-dev: a small HTTP server. Its package for CMake is not in Debian 12; the flags that its
# library was compiled with, which its header has to know, are pkg-config's in both.
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
# From 0.14 on its header itself calls OpenSSL, where its library was compiled with that; libssl-dev comes with it.
if("-DCPPHTTPLIB_OPENSSL_SUPPORT" IN_LIST httplib_CFLAGS OR "-DCPPHTTPLIB_OPENSSL_SUPPORT" IN_LIST httplib_CFLAGS_OTHER)
  find_package(OpenSSL REQUIRED COMPONENTS Crypto)
  target_link_libraries(PkgConfig::httplib INTERFACE OpenSSL::Crypto)
endif()
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy)           # libhwy-dev: one source for every vector ISA

# libdnnl-dev: oneDNN, 2.x in Debian 12. Its CMake package asks for OpenCL, which nothing here uses.
find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
file(STRINGS ${DNNL_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h dnnl_version_line REGEX "define DNNL_VERSION_MAJOR")
string(REGEX MATCH "[0-9]+" DNNL_VERSION_MAJOR "${dnnl_version_line}")
add_library(dnnl INTERFACE)
target_include_directories(dnnl SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
# The OpenMP runtime that Debian's and Ubuntu's oneDNN uses, for omp_set_num_threads: whatever the compiler.
target_link_libraries(dnnl INTERFACE ${DNNL_LIBRARY} -l:libgomp.so.1)

# MPI, found or left out: with it, landscape runs as several processes. Of the C interface alone.
if(TOPOGRAD_MPI)
  find_package(MPI COMPONENTS C)  # libopenmpi-dev
endif()

# The CUDA toolkit, cuBLAS and cuDNN 9: found or left out. Without the toolkit there is no device
# cuda; the kernels still run, emulated, as device simt. Of cuBLAS only the headers are needed here:
# the library is loaded when it is first used.
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
    find_library(CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
  else()
    set(TOPOGRAD_CUDA OFF)
  endif()
  if(CUBLAS_INCLUDE_DIR)
    set(TOPOGRAD_CUBLAS ON)
    target_include_directories(topograd_cuda_libraries SYSTEM INTERFACE ${CUBLAS_INCLUDE_DIR})
  endif()
  if(CUDNN_INCLUDE_DIR AND CUDNN_LIBRARY)
    set(TOPOGRAD_CUDNN ON)
    target_include_directories(topograd_cuda_libraries SYSTEM INTERFACE ${CUDNN_INCLUDE_DIR})
    target_link_libraries(topograd_cuda_libraries INTERFACE ${CUDNN_LIBRARY})
  endif()
endif()
