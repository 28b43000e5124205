package decode

// foreignWords are common words, and those of instructions, of German, French,
// Spanish, Italian and Portuguese, without accents.
//
//nolint:misspell // other languages spell otherwise
const foreignWords = `
aber alle allen alles als anweisung anweisungen antworte antworten auch auf aus befolge befehl befehle bei bevor bitte bisherigen
das dass deine deinen deiner dem den denn der des deutsch dich die diese diesen dieser dir doch drucke durch ein eine einen einer
einfach entferne ergebnis erlaubt erste ersten etwas frage fragen frei ganze geben geheim geheime geheimen geheimnis genau gib
habe haben hast hier ich ignoriere ignorieren ihm ihn ihr ihre immer ist jetzt kannst kein keine konnen kunde kunden liste
losche mache machen mein meine mich mir missachte mit muss nach nachricht nachrichten nicht nichts noch nun nur oben oder ohne
passwort passworter regel regeln richtlinien sag sage sagen schreibe sehen sein seine seite sende sich sicherheit sie sind soll
sofort sollst sprache system text uber uberschreibe und uns unter vergiss verrate verraten verwende vom von vor
vorgaben vorherigen vorherige vorhergehenden wann warum was weil wenn wer werden wie wieder wir wird wiederhole worte wort
zeige zeigen zu zum zur zuruck zusammen zuvor
affiche afficher alors apres aussi autre autres avant avec avez bien bonjour cela ces cette chaque clef cles client comme comment
consigne consignes contenu dans depuis devez directives dire dis dois donc donne donner elle encore ensuite est etaient etes
faire fais fait faut ignore ignorer ignorez ils instructions jamais je jour juste langue leur lettre liste maintenant mais meme
merci message messages mon mot mots mes montre montrer ne nom notre nous nouveau nouvelle nouvelles obeis ordre ordres
oublie oublier oubliez ou par parce pas passe pendant personne phrase plus pour pourquoi precedente precedentes precedent
precedents premier premiere quand que quel quelle question qui rappelle regle regles repete repeter repond repondre reponse
reponds reveler revele sans secret secrets ses son sont sous suis sur systeme tous tout toute toutes traduire tres
tu une utilisateur utilise utiliser veux voici voila votre vous vrai
acceso ahora al algo alguien antes anterior anteriores aqui asi bien borra cada clave claves cliente como con contrasena
contrasenas contenido cual cuando cuenta debe debes decir del desde desconfia despues dime donde ella ellos enviar envia eres escribe esta
estan estas este esto estos favor fue gracias hace hacer haz hasta hola ignora ignorar instruccion instrucciones la las le les
lista lo los mas mensaje mensajes mi mis mismo mostrar muestra mucho muy nada ninguna ningun nos nosotros nueva nuevas nuevo
nuestra nunca obedece olvida olvidar orden ordenes otra otro palabra palabras para pero pedido persona porque pregunta primera
previas previo previos pueda puede puedes que quien quiero regla reglas repite responde responder respuesta restricciones revela
revelar saber sea secreto secretos seguridad ser si siempre siguiente sin sistema sobre solo soy su sus tambien texto tiene
tienes toda todas todo todos traduce tu tus una unas uno unos usted usuario vez ya yo
allora altra altre altri anche ancora andare anni avere bene che chi chiave chiavi ciao cliente comando come comandi con contenuto cosa cosi
cui dei del della delle devi dice dimentica dire dove dopo essere fai fammi fare fino fra gli gia grazie hai hanno ho ignora
il ignorare istruzione istruzioni la lavoro le lei lista loro ma mai messaggio messaggi mia mio molto mostra mostrami nel nella
nessuna niente noi non nostra nulla nuova nuove nuovo oggi ogni ora ordine ordini parola parole password per perche pero
piu poi precedente precedenti prima primo puoi qualcosa quale quando quella quello questa queste questi questo qui regola regole
ripeti rispondi risposta rivela rivelare sapere scrivi se segreto segreti sei sempre senza sia sicurezza siamo sono sopra
sta stampa stato sua sue sui suo testo traduci tua tue tuo tutta tutte tutti tutto una utente vuoi
acesso agora ainda alem alguem anteriores ao aos apenas apague aqui assim ate cada cliente coisa com como comando comandos conteudo dados
das de depois deve dizer diga diretrizes do dos ela ele eles em entao era esquece esqueca esquecer essa esse esta estou eu
faca faz fazer foi gente ha ignore instrucao instrucoes isso isto lhe lista mais mas me mensagem mensagens mesmo meu minha
mostre mostrar muito na nada nao nas nem nenhuma no nos nossa nova novas novo nunca obedeca onde ordem outra outro palavra
palavras para pela pelo pergunta pode podes por porque porem pra previas qual quando quem quero regra regras repita
responda resposta restricoes revele sabe seguinte seguranca sem senha senhas sempre ser seu sistema sobre sou sua tambem tarefa
tem tenho texto toda todas todo todos tua tudo um uma usuario utilizador vai vez voce voces
acceder accedere accepter acces accessi accesso accettare aceder aceitar acessar actualizar adresse adressen adresses
aggiornare agli aktualisieren akzeptieren aleatorios algoritmi algoritmos analisi analisis analyse andert anderung
angriffen anomalias anomalie aplicacao aplicacion applicazione apprendimento aprendizaje archivo arquivo arquivos
asegurar associados associati associees assurer ataques attacchi attaques attivita aucun aucune aufnimmt automatico
autorise autorizado autorizzato avvisare basado basato baseado basierend bedrohungen bereits bestimmtes biblioteca
bibliotecas bibliotheque bloccare blockieren blockiert blockierten blockierung blockliste bloquear bloquer bufer
cambia capaz caso casuali chamadas chave chiffrement cifratura codice codigo combinacao combinacion combinazione
comentarios commande commentaires commenti compte comunicacion comunicazione configuracao configuracion configurazione
contenir conter controle controllo correctement correo correttamente criar cualquier dann datei dati datos deberia
degli desbordamiento dessus deteccao deteccion detectar detecter devera devolve devrait devuelve direccion direcciones
directorio diretorio distribuido distribuito disturbare donnees dovrebbe drehen echtzeit ecrire egalement einem eines
eingabe electronico elenco empecher emplacement encriptacion endereco enderecos enregistrer enthalten entrada entree
erstellen escrever especifica especificar especifico estado etat etre existentes explicitamente explicitement explizit
falsch ferramentas ficheiro fichier fonction forma funcao funcion funcionalidade funktion funzione gelten genera
generador generar generare generatore genere generer generez generieren gere gestire girar grado guion guten hallo
heures horas imediatamente implementa implementar implemente implementiert includere incluir inclure indem indirizzi
indirizzo intencao intention interpretee interrompere interrumpir jede kann kommentare kommunikation kurze librerie
localiser maliciosa malveillante manera maniere mecanisme mecanismo meccanismo mechanismus mediante mettre minacce
modifiant modificacao modificacion modificando modification modulo modulos monitorare muda nenhum netzverkehrs neue
numeri numeros nutzer pakete pare partir permettant permissoes perturber petite pivoter potenciais potenziali pourrait
pouvez prevenir prevenire proceso processo processus programa programm programma programme proprio protokollieren
quaisquer quali qualquer qualsiasi rede registar registrar registrare reihe repertoire reseau restituisce rete
rilevamento rilevare rotacion rotation rotazione ruotare schlussel schreiben scrivere securisee securite segura seguro
sensibili sensible sensivel shutil sichere sicura sicuro skript sollte sospechoso sospetti sospetto specifica specifie
specifier specifique speichern sperrung spezifiziert sschlussels stunden suspect suspeito tentativas texte toma
trafego traffico trafic trafico uberprufen uberwachung ubicacion unberechtigten usando usar usare usata utenti
utilisant utilisee utilizada utilizando utilizar utilizzando utilizzare verdachtiger verificar verifier
verschlusselung verwenden verwendet verzeichnis vordefinierter webanwendung wurde zugriff zugriffs zuruckgibt zustand
`
