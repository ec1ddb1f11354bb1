# What the libraries need. The build includes this file, and so does the package that find_package(topograd) finds,
# beside which it is installed; each defines topograd_need(<arguments of find_package>), which fails in its own way.
# Every dependency is a package of Debian 12 and Ubuntu 24.04; their names stand behind each.
topograd_need(Threads)
topograd_need(PkgConfig)
topograd_need(ZLIB)                                        # zlib1g-dev: ZIP archives' checksums
topograd_need(GIF)                                         # libgif-dev

# topograd_need_module(<module>): pkg-config's, as the target PkgConfig::<module>.
macro(topograd_need_module module)
  if(PkgConfig_FOUND)
    pkg_check_modules(${module} QUIET IMPORTED_TARGET ${module})
  endif()
  if(NOT ${module}_FOUND)
    topograd_lacks("pkg-config finds no ${module}")
  endif()
endmacro()
topograd_need_module(cairo)                                # libcairo2-dev
topograd_need_module(libzip)                               # libzip-dev: numpy's .npz
topograd_need_module(libhwy)                               # libhwy-dev: one source for every vector ISA

topograd_need(HDF5 COMPONENTS C)                           # libhdf5-dev
if(HDF5_FOUND AND NOT TARGET topograd::hdf5)
  # h5cc also lists what a static HDF5 would need; the shared library brings its own.
  set(hdf5_libraries ${HDF5_C_LIBRARIES})
  list(FILTER hdf5_libraries INCLUDE REGEX "hdf5")
  add_library(topograd::hdf5 INTERFACE IMPORTED)
  target_link_libraries(topograd::hdf5 INTERFACE ${hdf5_libraries})
  target_include_directories(topograd::hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
endif()

# libdnnl-dev: oneDNN, 2.x in Debian 12. Its CMake package asks for OpenCL, which nothing here uses.
find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
find_library(DNNL_LIBRARY dnnl)
if(NOT DNNL_INCLUDE_DIR OR NOT DNNL_LIBRARY)
  topograd_lacks("oneDNN is not there (libdnnl-dev)")
elseif(NOT TARGET topograd::dnnl)
  add_library(topograd::dnnl INTERFACE IMPORTED)
  target_include_directories(topograd::dnnl SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
  # The OpenMP runtime that Debian's and Ubuntu's oneDNN uses, for omp_set_num_threads: whatever the compiler.
  target_link_libraries(topograd::dnnl INTERFACE ${DNNL_LIBRARY} -l:libgomp.so.1)
endif()
