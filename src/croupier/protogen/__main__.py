from croupier.protogen.main import main

main()
