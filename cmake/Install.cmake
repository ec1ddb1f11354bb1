# What cmake --install puts where; docs/install.md describes it. Two components: `programs` is what a user of the
# programs needs, `development` what a program that links the libraries is built with.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS train landscape RUNTIME COMPONENT programs)
install(PROGRAMS apps/import_torch.py apps/export_torch.py apps/download_cifar10.sh
  DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/topograd COMPONENT programs)
# What import_torch.py and export_torch.py are made of.
install(FILES models/torch_zoo.py DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/topograd COMPONENT programs)
install(DIRECTORY apps/exporter DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/topograd COMPONENT programs
  FILES_MATCHING PATTERN *.py)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT programs)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT programs
  FILES_MATCHING PATTERN *.md PATTERN images EXCLUDE PATTERN gallery EXCLUDE)

# The package for Python; where PYTHONPATH names this folder, "import topograd" finds it.
if(TOPOGRAD_PYTHON)
  set(site ${CMAKE_INSTALL_LIBDIR}/python${Python_VERSION_MAJOR}.${Python_VERSION_MINOR}/site-packages)
  install(TARGETS topograd_python LIBRARY DESTINATION ${site}/topograd COMPONENT python)
  install(DIRECTORY apps/python/topograd DESTINATION ${site} COMPONENT python
    FILES_MATCHING PATTERN *.py PATTERN *.pyi PATTERN py.typed PATTERN __pycache__ EXCLUDE)
  install(DIRECTORY apps/exporter DESTINATION ${site}/topograd COMPONENT python FILES_MATCHING PATTERN *.py PATTERN __pycache__ EXCLUDE)
endif()

# What apps/manual/ wrote.
foreach(kind_and_place man1:${CMAKE_INSTALL_MANDIR}/man1 man7:${CMAKE_INSTALL_MANDIR}/man7 bash:${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    zsh:${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions fish:${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  string(REPLACE ":" ";" kind_and_place ${kind_and_place})
  list(POP_FRONT kind_and_place kind place)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/manual/${kind}/ DESTINATION ${place} COMPONENT programs)
endforeach()

# The libraries, under the names topograd::kernels, ..., and topograd::topograd for all of them.
set(libraries kernels nn models data landscape figures plots exports)
add_library(topograd INTERFACE)
foreach(library IN LISTS libraries)
  set_target_properties(topograd_${library} PROPERTIES EXPORT_NAME ${library})
  target_link_libraries(topograd INTERFACE topograd_${library})
endforeach()
list(TRANSFORM libraries PREPEND topograd_)
if(TOPOGRAD_CUDA)
  set_target_properties(topograd_cuda_libraries PROPERTIES EXPORT_NAME cuda_libraries)
  list(APPEND libraries topograd_cuda_libraries)
endif()
# Sources include "nn/network.h", and so do programs that use the installed libraries.
set(include_root ${CMAKE_INSTALL_INCLUDEDIR}/topograd)
install(TARGETS topograd ${libraries} EXPORT topogradTargets
  ARCHIVE COMPONENT development INCLUDES DESTINATION ${include_root})
install(DIRECTORY kernels nn models data landscape DESTINATION ${include_root} COMPONENT development
  FILES_MATCHING PATTERN *.h PATTERN onednn* EXCLUDE PATTERN test_* EXCLUDE)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/topograd)
install(EXPORT topogradTargets NAMESPACE topograd:: DESTINATION ${package_folder} COMPONENT development)
configure_package_config_file(cmake/topogradConfig.cmake.in ${PROJECT_BINARY_DIR}/topogradConfig.cmake
  INSTALL_DESTINATION ${package_folder})
# Before 1.0, a minor version may change what a program that links the libraries relies on.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/topogradConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/LibraryDependencies.cmake ${PROJECT_BINARY_DIR}/topogradConfig.cmake
  ${PROJECT_BINARY_DIR}/topogradConfigVersion.cmake DESTINATION ${package_folder} COMPONENT development)
