# Debian packages by cpack -G DEB: topograd, the programs, and libtopograd-dev, what is built with the libraries.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME topograd)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)
# Who builds a package answers for it, and says so as to Debian's own tools.
set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
if("$ENV{DEBFULLNAME}" STREQUAL "" OR "$ENV{DEBEMAIL}" STREQUAL "")
  set(CPACK_PACKAGE_CONTACT "The Topograd authors <topograd@localhost>")
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL programs development)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
# What Debian wants beside the files that are installed everywhere.
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/DebianFiles.cmake)
set(CPACK_TOPOGRAD_LICENCE ${PROJECT_SOURCE_DIR}/LICENSE)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME topograd)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_DEPENDS "fonts-dejavu-core, python3")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_RECOMMENDS "curl")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SUGGESTS "python3-torch, python3-protobuf, libtopograd-dev")
set(CPACK_COMPONENT_PROGRAMS_DESCRIPTION "train networks and map the landscape of their loss
Topograd trains image classifiers and maps the loss around them: surfaces on
filter-normalised planes, training trajectories, paths between networks,
eigenvalues of the Hessian, sharpness and coherence of gradients, as HDF5
files, figures, films and interactive reports.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libtopograd-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(development_packages libdnnl-dev libhdf5-dev zlib1g-dev libzip-dev libhwy-dev libcairo2-dev libgif-dev pkg-config)
if(MPI_C_FOUND)
  list(APPEND development_packages libopenmpi-dev)
endif()
list(JOIN development_packages ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "compute loss landscapes of networks from C++
Headers, static libraries and the CMake package of Topograd, which trains
image classifiers and maps the loss around them.")

include(CPack)
