# Run by cpack between installing and packing: what Debian's policy asks of every package.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(name ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${component}${CPACK_PACKAGING_INSTALL_PREFIX})

  set(documents ${root}/share/doc/${name})
  configure_file(${CPACK_TOPOGRAD_LICENCE} ${documents}/copyright COPYONLY)
  file(REMOVE ${documents}/LICENSE)
  file(WRITE ${documents}/changelog.Debian "${name} (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) \
unstable; urgency=medium\n\n  * Version ${CPACK_PACKAGE_VERSION}.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")

  file(GLOB plain ${root}/share/man/man1/*.1 ${root}/share/man/man7/*.7 ${documents}/changelog.Debian)
  file(CHMOD ${documents}/copyright ${plain} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  execute_process(COMMAND gzip -9n ${plain} COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB libraries ${root}/lib/*.a)
  if(libraries)
    execute_process(COMMAND strip --strip-debug --enable-deterministic-archives ${libraries} COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
