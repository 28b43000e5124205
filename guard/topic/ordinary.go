package topic

// ordinary are things that people say, of many subjects: what a topic is tried on
// when it is learned. One that many of them are near to is a broad one, and must be
// met more closely.
const ordinary = `
Where is my order and when will it arrive?
I would like to return these shoes, they are too small.
How do I cancel my subscription?
Can you send me the invoice for March again?
My card was declined at the supermarket this morning.
Please transfer two hundred euros to my sister's account.
What is the balance of my savings account?
I forgot my password and cannot log in.
The app crashes whenever I open the settings.
How do I change the language of my phone?
Could you book a table for four on Friday evening?
What time does the train to Berlin leave tomorrow?
Which hotel near the beach would you recommend?
My suitcase did not arrive with the flight.
Do I need a visa to travel to Japan?
What will the weather be like at the weekend?
How long do I have to boil an egg?
What can I cook with potatoes, cheese and leeks?
How many calories are in a slice of bread?
Please set an alarm for half past six.
Remind me to call my mother on Sunday.
Schedule a meeting with the design team for Tuesday at ten.
Play something quiet by that Icelandic band.
Who sang this song in the film?
Tell me a joke about penguins.
Write a short story about a lighthouse keeper and her dog.
Write a poem for my grandfather's eightieth birthday.
Translate this letter into Spanish, please.
How do you spell necessary?
What is the capital of Australia?
When did the Roman empire fall?
Explain photosynthesis to a ten year old child.
What is the derivative of x squared times sine x?
How many miles are twelve kilometres?
Solve this equation for y and show each step.
Write a function in Python that reverses a linked list.
Why does my SQL query return the same row twice?
The server answers with status 500 after the last deployment.
Explain what this regular expression does.
Add unit tests for the parser and fix the failing build.
How do I set up a wireless router at home?
My laptop is slow, should I add memory?
How do I change a flat tyre?
When does my car need its next service?
What is the fastest way to the airport by bus?
Is there much traffic on the motorway now?
I have had a headache for three days, what could it be?
Which vaccines does a baby need in the first year?
How can I sleep better at night?
Give me a plan to train for a half marathon.
What are good exercises for a stiff back?
My son does not want to do his homework.
How do I tell my best friend that I am moving away?
What should I wear to a winter wedding?
How do I prune roses in spring?
My cat scratches the sofa, what can I do?
Which dog is good for a small flat?
How do I remove red wine from a carpet?
What colour goes with a green kitchen?
How much does a new roof cost?
Can my landlord raise the rent every year?
What does this clause in my contract mean?
How many days of leave do I have left this year?
How do I apply for the position as a nurse?
Write a cover letter for a job in marketing.
Summarise the minutes of the last meeting in five points.
Draft a polite answer to this complaint from a customer.
What is a good slogan for a bakery?
How did sales develop in the last quarter?
When do I have to file my tax return?
Does my insurance pay for the broken window?
How does a pension fund work?
What is the exchange rate of the dollar today?
Who won the match last night?
Explain the offside rule in football.
Which board games can two people play?
What happens at the end of the novel?
Recommend a series like the one about the chess player.
Who painted the ceiling of the Sistine chapel?
What do Buddhists believe about suffering?
How does a bill become a law?
Who is the president of France?
What were the causes of the first world war?
How do police find fingerprints?
What does the museum charge for children?
Is the library open on public holidays?
Who made you and what can you do?
What is the meaning of life?
Good morning, how are you today?
Thank you, that was very helpful.
You did not answer my question, let me talk to a person.
I am really angry about how I was treated.
Make a table of these numbers and add them up.
Rewrite this paragraph so that it sounds friendlier.
Give me three ideas for a birthday party.
How do I knit a scarf?
Pretend to be a pirate and describe your ship.
What is the population of Canada?
How do batteries store energy?
Why is the sky blue?
`
